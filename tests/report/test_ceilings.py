"""What stands beside a success rate: what is solved without hearing, without seeing, without grasping."""

import numpy as np
import pytest

from bomb.machine.versions import versions
from bomb.report.loading import load_runs
from bomb.report.markdown import to_markdown
from bomb.report.summary import summarise
from bomb.report.tidy import conditions_csv
from core.board.layout import board_of
from core.perturbations.presets import make_suite
from core.registry import TASKS
from core.seeding import DRAWS
from core.world.stage import clean_scene
from tests.report.stores import condition, make_run

THESE = {"versions": {"draws": versions()["draws"]}}  # as a run is stored


def drawn(task, perturbation, seeds):
    made, suite = TASKS.load(task)(), make_suite(None if perturbation == "clean" else perturbation)
    scene = suite.prepare(made.stage(clean_scene()))
    return [suite.episode(made, scene, split="test", seed=seed) for seed in seeds]


def run(path, play, policy="clever", *, where=None, seeds=range(12), terms=THESE):
    """A run whose goals are those that its scenes have."""
    where = where or [condition()]
    goals = {
        (w.task, w.perturbation): [e.goal.to_dict() for e in drawn(w.task, w.perturbation, seeds)]
        for w in where
    }
    return make_run(
        path, play, conditions=where, seeds=seeds, policy=policy, terms=terms,
        change=lambda w, seed: {
            "goal": goals[w.task, w.perturbation][seed - seeds.start], "draws": {},
            "stages": {"reached": True, "grasped": seed % 2 == 0, "lifted": True},
        },
    )  # fmt: skip


def test_without_words_it_is_one_in_so_many_as_could_be_meant(tmp_path):
    """Counted here by hand: free intersections times two colours, stones times free ones, or stones alone."""
    where = [
        condition(),
        condition("stone_layout:row"),
        condition(task="move_stone"),
        condition(task="remove_stone"),
    ]
    summary = summarise(load_runs([run(tmp_path / "a", lambda w, s: s < 9, where=where)]))
    for found, made in zip(summary.ceilings, where, strict=True):
        expected = []
        for episode in drawn(made.task, made.perturbation, range(12)):
            stones = int((np.array(board_of(episode.state, episode.scene)) > 0).sum())
            ways = {
                "place_stone": 2 * (25 - stones),
                "move_stone": stones * (25 - stones),
                "remove_stone": stones,
            }
            expected.append(1 / ways[made.task])
        assert found.without_words.value == pytest.approx(np.mean(expected))
        assert found.by_carrying.value == 5 / 12 and found.success.value == 9 / 12
    row = summary.ceilings[1]
    assert row.without_words.value == pytest.approx(0.1)  # five free ones, two colours
    assert "without_words" in conditions_csv(summary).splitlines()[0]


def test_where_scenes_cannot_be_drawn_again_it_says_why(tmp_path):
    def reason(name, **options):
        (found,) = summarise(load_runs([run(tmp_path / name, lambda w, s: True, **options)])).ceilings
        assert found.without_words.value is None
        return found.without_words.reason

    assert reason("old", terms={"versions": {"draws": str(DRAWS - 1)}}) == "its scenes are of another version"
    assert reason("none", terms={"versions": {}}) == "its scenes are of another version"
    assert reason("game", where=[condition(task="tic_tac_toe")]) == "the board tells the move"
    other = make_run(tmp_path / "goals", lambda w, s: True, conditions=[condition()], terms=THESE)
    (found,) = summarise(load_runs([other])).ceilings
    assert found.without_words.reason == "its scenes are of another version"


def test_runs_of_the_ceilings_stand_beside_every_other_run_over_the_same_episodes(tmp_path):
    paths = [
        run(tmp_path / "p", lambda w, s: s < 9),
        run(tmp_path / "f", lambda w, s: s < 3, "feeler", seeds=range(8)),
        run(tmp_path / "s", lambda w, s: s % 4 == 0, "push"),
        run(tmp_path / "m", lambda w, s: s < 2, "mute(clever)"),
    ]
    summary = summarise(load_runs(paths))
    (found,) = summary.ceilings  # not one of the ceilings themselves, nor a baseline
    assert found.run == "p"
    assert {name: (e.value, e.n) for name, e in found.policies.items()} == {
        "feeler": (3 / 8, 8), "push": (3 / 12, 12), "mute": (2 / 12, 12),
    }  # fmt: skip
    kinds = {(c.first, c.second): c.kind for c in summary.comparisons}
    assert kinds["f", "p"] == "feeler" and kinds["s", "p"] == "push" and kinds["m", "p"] == "mute"
    assert kinds["f", "s"] == "policies"
    text = to_markdown(summary)
    assert "## Ceilings" in text and "37.5%" in text.split("## Ceilings")[1]


def test_a_ceiling_that_was_made_otherwise_is_said_to_be(tmp_path):
    paths = [
        run(tmp_path / "p", lambda w, s: s < 9),
        run(
            tmp_path / "f",
            lambda w, s: s < 3,
            "feeler",
            terms={"versions": {**THESE["versions"], "mujoco": "2"}},
        ),
    ]
    (found,) = summarise(load_runs(paths)).ceilings
    assert found.differs == ("mujoco none and 2",)
