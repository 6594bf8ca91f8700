"""Runs made with different versions are compared only with a note; unfinished ones claim nothing."""

import pytest

from bomb.cli import main
from bomb.report.loading import load_runs
from bomb.report.markdown import to_markdown
from bomb.report.page import write_page
from bomb.report.summary import summarise
from tests.report.html import Outline
from tests.report.stores import condition, make_run

CLEAN, POSE, OTHER = condition(), condition("board_pose:3"), condition("board_pose:3", "robotwin")
MADE = {
    "versions": ({"mujoco": "3.3.0"}, {"mujoco": "3.4.0"}, "mujoco 3.3.0 and 3.4.0"),
    "renderer": ("llvmpipe", "NVIDIA H200", "renderer llvmpipe and NVIDIA H200"),
    "tolerances": ({"placed": 0.01}, {"placed": 0.02}, 'tolerances {"placed": 0.01} and {"placed": 0.02}'),
}  # fmt: skip


def good(where, seed):
    return seed % 3 > 0


def page_of(tmp_path, summary) -> str:
    runs = load_runs([run.path for run in summary.runs])
    write_page(tmp_path / "page.html", summary, runs, pairs=0)
    return Outline.of((tmp_path / "page.html").read_text()).words


@pytest.mark.parametrize("name", MADE)
def test_twins_of_another_making_are_refused_unless_asked_for(tmp_path, name):
    one, other, words = MADE[name]
    clean = make_run(tmp_path / "clean", good, conditions=[CLEAN], terms={name: one})
    perturbed = make_run(tmp_path / "perturbed", good, conditions=[POSE], terms={name: other})
    runs = load_runs([clean, perturbed])
    refused = summarise(runs)
    assert refused.runs[1].conditions[0].versus_clean is None
    assert refused.runs[1].curves[0].points[0].severity == 3
    assert any(words in note and "--twins-across allows it" in note for note in refused.notes)
    taken = summarise(runs, twins_across=True)
    versus = taken.runs[1].conditions[0].versus_clean
    assert versus.pairs == 50 and versus.differs == (words,)
    assert taken.runs[1].curves[0].differs == (words,)
    assert any(
        note == f"the clean twins of perturbed were made with different versions or settings: {words}"
        for note in taken.notes
    )
    said = to_markdown(taken).split("## Perturbed against clean twins")[1].split("\n## ")[0]
    assert f"Made with different versions or settings: {words}." in said
    note = f"Made with different versions or settings: {words}."
    assert page_of(tmp_path, taken).count(note) >= 3  # headline, chart, table


def test_runs_without_pictures_do_not_differ_in_them(tmp_path):
    one, other = ({"pictures": number} for number in "12")
    said = {}
    for name, renderer in (("blind", None), ("seeing", "llvmpipe")):
        runs = [
            make_run(
                tmp_path / f"{name}{k}",
                good,
                conditions=[CLEAN],
                terms={"versions": made, "renderer": renderer},
            )
            for k, made in enumerate((one, other))
        ]
        said[name] = [note for note in summarise(load_runs(runs)).notes if "pictures 1 and 2" in note]
    assert said["blind"] == [] and len(said["seeing"]) == 1


def test_alike_runs_come_first_and_nothing_is_said_of_them(tmp_path):
    one, other, _ = MADE["versions"]
    strange = make_run(
        tmp_path / "strange", good, conditions=[CLEAN], seeds=range(9), terms={"versions": one}
    )
    alike = make_run(tmp_path / "alike", good, conditions=[CLEAN], seeds=range(7), terms={"versions": other})
    run = make_run(tmp_path / "run", good, conditions=[POSE], terms={"versions": other})
    summary = summarise(load_runs([run, strange, alike]), twins_across=True)
    versus = summary.runs[0].conditions[0].versus_clean
    assert (versus.pairs, versus.differs) == (7, ())


def test_policies_of_other_makings_are_compared_with_that_said(tmp_path):
    one, other, words = MADE["versions"]
    both = [condition(), condition(backend="robotwin")]
    first = make_run(tmp_path / "a", good, conditions=both, policy="p", terms={"versions": one})
    second = make_run(
        tmp_path / "b", lambda w, s: s % 2 == 0, conditions=both, policy="q", terms={"versions": other}
    )
    summary = summarise(load_runs([first, second]))
    (comparison,) = summary.comparisons
    assert comparison.differs == (words,) == comparison.rows[0].differs
    over_policies = [entry for entry in summary.simulators if entry.run is None and entry.ranks]
    assert over_policies and all(entry.differs == (words,) for entry in over_policies)
    assert f"a and b were made with different versions or settings: {words}" in summary.notes
    for title in ("## Policies side by side", "## Simulators: do they order alike?"):
        assert words in to_markdown(summary).split(title)[1].split("\n## ")[0]


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ({"mujoco": {"states": "aaa"}}, {"mujoco": {"states": "aaa"}}, None),
        (None, None, None),
        (
            {"mujoco": {"states": "aaa"}},
            None,
            "a and b may not make the same of the same actions: the machine of the second has",
        ),
        (
            {"mujoco": {"states": "a" * 64, "pictures": "c"}},
            {"mujoco": {"states": "b" * 64, "pictures": "c"}},
            "a and b carry different fingerprints: states of mujoco aaaaaaaa and bbbbbbbb",
        ),
        # Without cameras there are no pictures to differ in.
        ({"mujoco": {"states": "a", "pictures": "c"}}, {"mujoco": {"states": "a"}}, None),
    ],
)
def test_other_fingerprints_are_said(tmp_path, first, second, said):
    runs = [
        make_run(tmp_path / name, good, conditions=[CLEAN], terms={"hardware": {"fingerprint": prints}})
        for name, prints in (("a", first), ("b", second))
    ]
    notes = [note for note in summarise(load_runs(runs)).notes if "fingerprint" in note]
    assert len(notes) == (said is not None)
    assert said is None or said in notes[0]


def test_what_many_runs_differ_in_is_said_once(tmp_path):
    """Five runs, of which the last two ran elsewhere and slower, make one sentence for each difference."""
    prints = {"mujoco": {"states": "aaa"}}
    runs = [
        make_run(
            tmp_path / name, good, conditions=[CLEAN],
            terms={"control_hz": hz, "hardware": {"fingerprint": known}},
        )
        for names, hz, known in (("abc", 20, None), ("de", 10, prints))
        for name in names
    ]  # fmt: skip
    notes = summarise(load_runs(runs)).notes
    who = "a, b and c on the one side and d and e on the other"
    assert f"{who} were played under different settings: control_hz is 20 and 10" in notes
    (said,) = [note for note in notes if "fingerprint" in note]
    assert said.startswith(who) and "the machine of the first has" in said
    assert "a, b, c, d and e were played in one simulator only" in notes


def test_a_run_that_has_only_begun_has_no_undefined_headline(tmp_path):
    def begun(where, seed):
        return True if where.perturbation == "clean" else None

    path = make_run(tmp_path / "x", begun, conditions=[CLEAN, POSE], episodes=50)
    summary = summarise(load_runs([path]))
    page = page_of(tmp_path, summary)
    head = page.split("The share of episodes")[0]
    assert "undefined" not in head and "→" not in head and "100%" in head
    assert "nothing perturbed has its clean twin yet" in head
    assert "below" not in page  # the section of differences is not there


def test_perturbed_numbers_are_of_episodes_with_their_clean_twins(tmp_path):
    """Clean: seeds 0 to 9, all solved. Perturbed: 5 to 24; those with twins all solved, the others not."""

    def outcome(where, seed):
        if where.perturbation == "clean":
            return True if seed < 10 else None
        return seed < 10 if seed >= 5 else None

    path = make_run(tmp_path / "x", outcome, conditions=[CLEAN, POSE], seeds=range(25), episodes=25)
    summary = summarise(load_runs([path]))
    group = next(g for g in summary.runs[0].groups if g.category == "perturbed")
    assert (group.episodes, group.pairs, group.paired.value, group.clean_twins.value) == (20, 5, 1.0, 1.0)
    assert summary.runs[0].curves[0].points[1].success.n == 5
    page = page_of(tmp_path, summary)
    head = page.split("The share of episodes")[0]
    assert "100% → 100%" in head and "15 perturbed episodes without a clean twin, not counted" in head
    assert "15 of these without a clean twin" in page


def test_decisions_and_actions_a_second_are_told_apart(tmp_path):
    """155 actions a chunk, 70 ms a decision: 14 decisions, 2,214 actions a second."""
    timing = {"wall_s": 10.0, "policy_s": 0.07, "looks": 1, "policy_ms_mean": 70.0, "policy_ms_p95": 70.0}
    path = make_run(
        tmp_path / "x", good, conditions=[CLEAN], change=lambda w, s: {"steps": 155, "timing": timing}
    )
    (cost,) = summarise(load_runs([path])).runs[0].efficiency
    assert cost.policy_hz == pytest.approx(14.29, abs=0.01)
    assert cost.actions_hz == pytest.approx(2214.3, abs=0.1) and cost.actions_per_decision == 155
    assert cost.steps_per_s == pytest.approx(15.5)


def test_the_command_line_asks_for_twins_across(tmp_path, capsys):
    one, other, words = MADE["versions"]
    clean = make_run(tmp_path / "clean", good, conditions=[CLEAN], terms={"versions": one})
    perturbed = make_run(tmp_path / "perturbed", good, conditions=[POSE], terms={"versions": other})
    assert main(["report", str(perturbed), str(clean), "--format", "markdown", "--twins-across"]) == 0
    assert "## Perturbed against clean twins" in (said := capsys.readouterr().out) and words in said


def test_success_by_carrying_leaves_out_pushes(tmp_path):
    """Of 50 episodes 25 succeed; 10 of these were pushed: never lifted."""

    def change(where, seed):
        return {"stages": {"grasped": True, "lifted": seed >= 10}}

    path = make_run(tmp_path / "x", lambda w, s: s < 25, conditions=[CLEAN], change=change)
    summary = summarise(load_runs([path]))
    (run,) = summary.runs
    for found in (run.conditions[0], run.groups[0]):
        assert (found.success.value, found.by_carrying.value) == (0.5, 0.3)
    assert "clean by carrying: 30%" in page_of(tmp_path, summary)
    assert "by carrying" in to_markdown(summary)
    bare = make_run(tmp_path / "y", good, conditions=[CLEAN], change=lambda w, s: {"stages": {}})
    assert "no stages" in summarise(load_runs([bare])).runs[0].groups[0].by_carrying.reason
