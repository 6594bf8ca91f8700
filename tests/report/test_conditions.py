"""One condition in numbers; and errors, which are in none of them."""

import pytest

from bomb.report.boards import board_map
from bomb.report.loading import load_runs
from bomb.report.summary import summarise
from tests.report.stores import condition, error, make_run, row

CLEAN = condition()


def summary_of(tmp_path, outcome, **options):
    path = make_run(tmp_path / "x", outcome, conditions=[CLEAN], **options)
    return summarise(load_runs([path])).runs[0]


def test_rates_reasons_and_distances(tmp_path):
    def change(where, seed):
        late = {"success_once": True} if seed in (30, 31) else {}
        return late | ({"reason": "still_held", "reasons": ["still_held"]} if seed >= 38 else {})

    run = summary_of(tmp_path, lambda where, seed: seed < 30, seeds=range(40), change=change)
    (found,) = run.conditions
    assert (found.episodes, found.success.value, found.success_once.value) == (40, 0.75, 0.8)
    assert found.reasons == {"dropped": 8, "still_held": 2}
    assert found.all_reasons == {"dropped": 8, "off_the_board": 8, "still_held": 2}
    assert found.distance_median_mm.value == 3.0 and found.distance_median_mm.n == 30
    assert found.distance_p95_mm.high is None and "30 values" in found.distance_p95_mm.reason
    assert found.stages["int_act/success"].value == 0.75 and found.stages["reached"].value == 1.0
    assert found.steps.value == 119.5 and found.clipped == pytest.approx(40 / sum(range(100, 140)))
    assert found.moves is None
    (costs,) = run.efficiency
    assert (costs.policy_hz, costs.shares["overhead"]) == (40.0, pytest.approx(0.05))
    assert costs.steps_per_s == pytest.approx(119.5 / 2)


def test_errors_stand_apart(tmp_path):
    failed = [error(CLEAN, 3), error(CLEAN, 90), error(CLEAN, 90, 2, "timeout"), error(CLEAN, 91)]
    run = summary_of(tmp_path, lambda where, seed: seed < 12, seeds=range(20), errors=failed)
    assert (run.errors.attempts, run.errors.unplayed, run.errors.recovered) == (4, 2, 1)
    assert run.errors.kinds == {"policy": 3, "timeout": 1}
    assert [(e["seed"], e["kind"], e["step"]) for e in run.errors.examples] == [
        (90, "timeout", 12),
        (91, "policy", 12),
    ]
    (found,) = run.conditions
    assert (found.episodes, found.unplayed, found.success.value) == (20, 2, 0.6)
    assert found.success_at_worst.value == pytest.approx(12 / 22)


def test_a_run_that_is_not_finished_says_so(tmp_path):
    def note(name, asked):
        failed = [error(CLEAN, 20)]
        path = make_run(
            tmp_path / name,
            lambda w, s: True,
            conditions=[CLEAN],
            seeds=range(20),
            errors=failed,
            episodes=asked,
        )
        summary = summarise(load_runs([path]))
        assert summary.runs[0].conditions[0].asked == asked
        return [note for note in summary.notes if "finished" in note]

    assert note("going", 40) == ["going is not finished: 21 of 40 episodes were played"]
    assert note("over", 21) == []


def test_the_board_by_intersection(tmp_path):
    def change(where, seed):
        return {"verdict": {"offset_mm": [seed / 10, 1.0], "occupancy": [[0] * 7] * 7}}

    run = summary_of(tmp_path, lambda where, seed: seed < 30, seeds=range(50), change=change)
    board = run.conditions[0].board
    assert board.size == 7 and len(board.cells) == 25
    first, last = board.cells[0], board.cells[-1]
    assert (first.row, first.column, first.success.value, first.placed) == (0, 0, 1.0, 2)
    assert first.offset_mm == pytest.approx([(0 + 2.5) / 2, 1.0])
    assert (last.success.value, last.placed, last.offset_mm) == (0.5, 1, pytest.approx([2.4, 1.0]))


def test_an_intersection_where_nothing_was_placed(tmp_path):
    run = summary_of(tmp_path, lambda where, seed: False, seeds=range(2))
    cell = run.conditions[0].board.cells[1]
    assert (cell.success.value, cell.placed, cell.offset_mm) == (0.0, 0, None)
    assert cell.distance_mm.reason == "no values"


def moves(done, total=3, complete=None):
    goal = {"kind": "intersection", "color": "black", "row": 1, "column": 1}
    return {
        "total": total,
        "done": done,
        "complete": done == total if complete is None else complete,
        "wrong": [],
        "placements": [{"goal": goal, "distance_mm": 2.0, "offset_mm": [1.0, 0.0]}] * done,
    }


def test_long_tasks_count_consecutive_moves(tmp_path):
    run = summary_of(
        tmp_path,
        lambda where, seed: seed < 10,
        seeds=range(20),
        change=lambda where, seed: {"moves": moves(3 if seed < 10 else seed % 2)},
    )
    (found,) = run.conditions
    assert [found.moves["in_a_row"][k]["value"] for k in "123"] == [0.75, 0.5, 0.5]
    assert found.moves["average_length"]["value"] == pytest.approx(1.75)
    (cell,) = found.board.cells  # placements count where they were asked for, whole episodes nowhere
    assert (cell.row, cell.column, cell.placed, cell.success.n) == (1, 1, 35, 0)


def test_goals_that_are_no_intersections_have_no_board():
    region = {"kind": "region", "color": "black", "center": [0.1, 0.2], "half_size": [0.05, 0.05]}
    assert board_map([row(CLEAN, 0, True, goal=region)]) is None


def test_rows_with_little_in_them(tmp_path):
    bare = {
        "actions": {},
        "timing": {},
        "moves": {},
        "verdict": {},
        "stages": {},
        "distance_mm": None,
        "steps": 0,
    }
    run = summary_of(tmp_path, lambda where, seed: True, seeds=range(2), change=lambda where, seed: bare)
    (found,) = run.conditions
    assert found.path_m.reason == found.distance_median_mm.reason == "no values"
    assert found.clipped is None and found.stages == {}
    (costs,) = run.efficiency
    assert (costs.policy_hz, costs.steps_per_s, costs.shares) == (None, None, {})


def test_a_run_without_episodes(tmp_path):
    run = summary_of(tmp_path, lambda where, seed: None)
    assert run.episodes == 0 and run.started is None and run.efficiency == ()
    assert run.conditions[0].success.reason == "no trials"
