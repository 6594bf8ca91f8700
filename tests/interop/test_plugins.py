"""Parts from outside, one of each seam: installed into one fresh environment, found, checked and used.

These are the steps of "A part of your own" in CONTRIBUTING.md.
"""

import json
import shutil

import pytest

from tests.interop.conftest import ROOT, install, run

PLUGINS = ("plugin_game", "plugin_knob", "plugin_policy", "plugin_backend")
CHECK = """
from bomb_corners import Corners
from bomb_follower import Follower
from bomb_half_steps import HalfSteps
from bomb_moon import Glare, Moon
from core.testing import check_backend, check_knob, check_policy, check_task
check_task(Corners(), seeds=range(5), played=range(1))
check_knob(Moon())
check_knob(Glare(), seeds=range(1))
check_policy(Follower(), image_size=(64, 64))
check_backend(HalfSteps)
print("all keep their contracts")
"""


@pytest.fixture
def plugins(tmp_path, fresh):
    """The environment with the examples in it, installed from copies: building leaves files behind."""
    copies = [shutil.copytree(ROOT / "examples" / name, tmp_path / name) for name in PLUGINS]
    install(fresh, *map(str, copies))
    return fresh


@pytest.mark.timeout(1800)
def test_they_are_found_checked_and_used(plugins, tmp_path):
    bomb = str(plugins.parent / "bomb")

    def evaluated(*words: str) -> dict:
        file = tmp_path / "result.json"
        run(bomb, "evaluate", *words, "--json", str(file), cwd=tmp_path)
        return json.loads(file.read_text())

    listed = run(bomb, "tasks", cwd=tmp_path)
    assert "corners              Take the corners of the board in turn." in listed
    assert "place_stone " in listed
    listed = run(bomb, "knobs", cwd=tmp_path)
    assert "  moon " in listed and "  glare[@camera] " in listed
    listed = run(bomb, "policies", cwd=tmp_path)
    assert "follower(tone='dark')" in listed and "seeker://" in listed
    assert "half_steps " in run(bomb, "backends", cwd=tmp_path)
    assert "all keep their contracts" in run(str(plugins), "-c", CHECK, cwd=tmp_path)

    for backend in ("mujoco", "robotwin"):
        game = evaluated("--task", "corners", "--policy", "expert", "--backend", backend,
                         "--episodes", "2", "--stop-on-success")  # fmt: skip
        assert game["success_rate"] == 1.0 and game["moves"]["average_length"]["value"] == 4.0
        # Two workers are two processes, which were spawned.
        knob = evaluated("--policy", "expert", "--backend", backend, "--perturbations", "moon:5",
                         "--episodes", "2", "--stop-on-success", "--workers", "2")  # fmt: skip
        assert knob["success_rate"] == 1.0
        for policy in ("follower", "seeker://light"):
            seen = evaluated("--policy", policy, "--backend", backend, "--perturbations", "glare:2",
                             "--episodes", "1", "--max-steps", "20")  # fmt: skip
            assert seen["success_rate"] == 0.0
    finer = evaluated("--policy", "expert", "--backend", "half_steps", "--episodes", "2", "--stop-on-success")
    assert finer["success_rate"] == 1.0
    run(bomb, "gallery", "--knobs", "glare", "--size", "48", "--out", str(tmp_path / "g.png"), cwd=tmp_path)
    assert (tmp_path / "g.png").stat().st_size > 1000

    names = ("bomb-corners", "bomb-moon", "bomb-follower", "bomb-half-steps")
    run(str(plugins), "-m", "pip", "uninstall", "--yes", "--quiet", *names)
    assert "corners" not in run(bomb, "tasks", cwd=tmp_path)
    assert "moon" not in run(bomb, "knobs", cwd=tmp_path)
