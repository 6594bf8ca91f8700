"""Parity itself, on a small sample in both engines: nothing may exclude its bound."""

import json

import pytest

from bomb.cli import main
from bomb.parity.envelope import EnvelopeStudy
from bomb.parity.pictures import BOUNDS
from bomb.parity.studies import STUDIES
from bomb.parity.study import StudyPlan, measure
from bomb.parity.table import FAILS, PASSES
from core.registry import BACKENDS

PHYSICS = (
    "arm_rms_mm",
    "expert_success",
    "replay_agreement",
    "near_miss_kappa_lifted",
    "near_miss_kappa_placed",
    "grasp_envelope_iou",
    "rest_offset_median_mm",
    "rest_offset_p95_mm",
    "scorer_identical",
)
PICTURES = (
    "board_iou",
    "stone_iou",
    "centroid_px",
    "depth_mm",
    "colour_mad",
    "ssim",
    "colour_mad_masks",
    "ssim_masks",
)


def parity(tmp_path, capsys, *words: str) -> tuple[int, dict]:
    """``bomb parity`` in this process: its exit status and its JSON."""
    file = tmp_path / "parity.json"
    status = main(["parity", "--workers", "0", "--split", "ci", "--json", str(file), *words])
    table = json.loads(file.read_text())
    printed = capsys.readouterr().out
    assert all(key in printed for key in table)
    return status, table


def flat(table: dict) -> dict[str, dict]:
    """Every row, those of single backends too."""
    rows = {}
    for key, row in table.items():
        rows |= {key: row} if "value" in row else {f"{key}/{part}": of for part, of in row.items()}
    return rows


def test_the_table_has_the_promised_rows():
    assert {key for study in STUDIES for key in study.keys} == {*PHYSICS, *PICTURES}


def test_physics(tmp_path, capsys):
    status, table = parity(tmp_path, capsys, "--episodes", "6", "--rows", ",".join(PHYSICS))
    assert set(table) == set(PHYSICS)
    assert set(table["expert_success"]) == {"mujoco", "robotwin"}
    rows = flat(table)
    assert all({"value", "interval", "n", "bound", "verdict"} <= set(row) for row in rows.values())
    assert not [key for key, row in rows.items() if row["verdict"] == FAILS]
    assert status == 2  # six episodes cannot show 99 percent
    assert rows["arm_rms_mm"]["verdict"] == rows["scorer_identical"]["verdict"] == PASSES
    assert rows["expert_success/mujoco"]["value"] == rows["expert_success/robotwin"]["value"] == 1.0


@pytest.mark.render
def test_pictures(tmp_path, capsys):
    out = tmp_path / "pictures"
    words = ("--episodes", "6", "--rows", ",".join(PICTURES), "--out", str(out))
    status, table = parity(tmp_path, capsys, *words)
    assert set(table) == set(PICTURES) == set(BOUNDS)
    # Four episodes cannot show the likeness of masks with the whole interval; its value must reach the bound.
    open_rows = {key: row for key, row in table.items() if row["verdict"] != PASSES}
    assert set(open_rows) <= {"ssim_masks"} and status in (0, 2), open_rows
    assert table["ssim_masks"]["value"] >= BOUNDS["ssim_masks"].value
    assert len(list(out.glob("*.png"))) == 15  # five moments, three cameras


def test_a_simulator_that_drops_stones_fails(tmp_path, capsys):
    words = ("--episodes", "16", "--rows", "grasp_envelope_iou", "--backends", "mujoco,slippery")
    with BACKENDS.temporarily({"slippery": "tests.parity.slippery:SlipperyBackend"}):
        status, table = parity(tmp_path, capsys, *words)
    assert table["grasp_envelope_iou"]["verdict"] == FAILS
    assert status == 1


def test_the_number_of_workers_changes_nothing():
    plan, study = StudyPlan(episodes=6, split="ci"), EnvelopeStudy()
    found = []
    for workers in (0, 2):
        results: dict = {}
        measure(study, plan, results, workers=workers, report=lambda: None)
        found.append([results[seed] for seed in study.jobs(plan)])
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--episodes", "0"), "--episodes must be at least 1"),
        (("--rows", "colour"), "unknown row 'colour'"),
        (("--backends", "mujoco"), "two different names"),
        (("--backends", "mujoco,gazebo"), "unknown backend 'gazebo'"),
        (("--split", "mine"), "unknown split 'mine'"),
    ],
)
def test_a_wrong_question_is_answered_in_one_line(words, message, capsys):
    assert main(["parity", *words]) == 2
    assert message in capsys.readouterr().err
