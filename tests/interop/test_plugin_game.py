"""A game from outside: installed into a fresh environment, found by its name, played in both simulators.

These are the steps of "A game of your own" in CONTRIBUTING.md.
"""

import json
import shutil

import pytest

from tests.interop.conftest import ROOT, install, run

CHECK = """
from bomb_corners import Corners
from core.testing import check_task
check_task(Corners())
print("keeps the contract")
"""


@pytest.fixture
def plugin(tmp_path, fresh):
    """The environment with the example in it, installed from a copy: building leaves files behind."""
    source = shutil.copytree(ROOT / "examples" / "plugin_game", tmp_path / "plugin_game")
    install(fresh, str(source))
    return fresh


@pytest.mark.timeout(1800)
def test_it_is_found_checked_and_played(plugin, tmp_path):
    bomb = str(plugin.parent / "bomb")
    listed = run(bomb, "tasks", cwd=tmp_path)
    assert "corners              Take the corners of the board in turn." in listed
    assert "place_stone " in listed
    assert "keeps the contract" in run(str(plugin), "-c", CHECK, cwd=tmp_path)
    for backend in ("mujoco", "robotwin"):
        file = tmp_path / f"{backend}.json"
        run(bomb, "evaluate", "--task", "corners", "--policy", "expert", "--backend", backend,
            "--episodes", "3", "--stop-on-success", "--json", str(file), cwd=tmp_path)  # fmt: skip
        result = json.loads(file.read_text())
        assert result["success_rate"] == 1.0 and result["moves"]["average_length"]["value"] == 4.0
    run(str(plugin), "-m", "pip", "uninstall", "--yes", "--quiet", "bomb-corners")
    assert "corners" not in run(bomb, "tasks", cwd=tmp_path)
