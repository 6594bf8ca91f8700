"""The matrix on a Ray cluster: two nodes on this machine, in an environment of its own that has Ray."""

import json
import shutil
import sysconfig
from pathlib import Path

import pytest

from tests.interop.conftest import install, new_python, run

SCRIPT = Path(__file__).with_name("ray_run.py")


@pytest.fixture
def with_ray(tmp_path, wheel) -> Path:
    """Python of an environment that sees the packages of this one, with BOMB's wheel and Ray beside them.

    Packages that are there already are not installed again, which takes minutes.
    """
    python = new_python(tmp_path)
    (packages,) = (tmp_path / "venv" / "lib").glob("*/site-packages")
    # addsitedir, and not the bare path: some packages there have .pth files of their own.
    outside = sysconfig.get_path("purelib")
    (packages / "outside.pth").write_text(f"import site; site.addsitedir({outside!r})\n")
    run(str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--force-reinstall", str(wheel))
    install(python, "ray>=2.40")
    return python


@pytest.mark.timeout(1800)
def test_a_cluster_plays_the_same_and_survives_the_loss_of_a_node(with_ray, tmp_path):
    script = Path(shutil.copy(SCRIPT, tmp_path))  # the checkout is not on its path
    run(str(with_ray), str(script), str(tmp_path), cwd=tmp_path)
    said = json.loads((tmp_path / "said.json").read_text())
    assert said["complete"] and said["workers"] == 2 and said["same_as_local"]
    assert said["after_the_loss"] and set(said["errors"]) == {"worker"}
    conditions = [f"place_stone|{b}|{p}" for p in ("clean", "friction:3") for b in ("mujoco", "robotwin")]
    assert said["episodes"] == [[key, seed] for key in conditions for seed in range(3)]
