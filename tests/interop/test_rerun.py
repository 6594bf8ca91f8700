"""`bomb view --rerun` with rerun-sdk itself: written, verified and read back in an environment of its own."""

import json
from pathlib import Path

import pytest

from tests.conftest import BACKENDS
from tests.interop.conftest import install, new_python, run

READ = Path(__file__).parent / "rerun" / "read.py"
SEED = 3

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def python(tmp_path_factory, wheel) -> Path:
    """The Python of an environment with BOMB and rerun-sdk."""
    python = new_python(tmp_path_factory.mktemp("rerun"))
    install(python, f"{wheel}[rerun]")
    return python


def read(python: Path, file: Path) -> dict:
    """Rows by entity, and the events, as rerun's own reader finds them."""
    run(str(python.parent / "rerun"), "rrd", "verify", str(file))
    return json.loads(run(str(python), str(READ), str(file)))


def test_an_episode_of_the_expert_in_both_simulators(python, tmp_path):
    file = tmp_path / "episode.rrd"
    said = run(str(python.parent / "bomb"), "view", "--seed", str(SEED), "--rerun", file.name, cwd=tmp_path)
    assert said.splitlines()[-1] == "episode.rrd" and said.count("placed") == 2
    found = read(python, file)
    for backend in BACKENDS:
        rows = {name.removeprefix(f"/{backend}"): count for name, count in found["rows"].items()}
        steps = rows["/action/x"]
        hold = rows["/world/tool"] - steps  # the reset, and the final hold of half a second
        assert steps > 40 and hold == 11
        for name in ("/gripper_opening", "/distance_mm", "/world/tool"):
            assert rows[name] == steps + hold
        # After the reset and after each action, and once at the end.
        assert rows["/world/robot/panda_hand"] == steps + 2
        stones = {name: count for name, count in rows.items() if name.startswith("/world/stones/")}
        assert len(stones) >= 8 and set(stones.values()) == {steps + 2}
        unmoved = {name.removeprefix(f"/{backend}") for name in found["static"]}
        assert {"/world/board", "/world/table", "/world/tool/path"} <= unmoved and rows["/world/target"] == 1
        events = found["events"][f"/{backend}/events"]
        assert events[0].startswith("asked for: ") and events[-1].startswith("verdict: placed, ")
        assert "stage: grasped" in events
        assert found["last"][f"/{backend}/distance_mm"] < 10.0
    assert found["blueprints"] == 1


def test_a_recorded_failure_with_pictures(python, tmp_path):
    bomb = str(python.parent / "bomb")
    run(bomb, "evaluate", "--policy", "random", "--backend", "mujoco", "--perturbations", "board_pose:3",
        "--episodes", "1", "--seed", str(SEED), "--max-steps", "15", "--cameras", "none", "--out", "run",
        cwd=tmp_path)  # fmt: skip
    run(bomb, "view", "run", "--seed", str(SEED), "--backend", "mujoco", "--rerun", "failure.rrd",
        "--rerun-pictures", "--size", "48", "64", cwd=tmp_path)  # fmt: skip
    found = read(python, tmp_path / "failure.rrd")
    assert found["rows"]["/mujoco/action/gripper"] == 15
    assert found["rows"]["/mujoco/world/head"] == 16
    assert found["events"]["/mujoco/events"][-1].startswith("verdict: never ")
    assert not (tmp_path / "runs").exists()  # --rerun alone draws nothing else
