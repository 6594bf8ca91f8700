"""Fresh environments with BOMB installed from its wheel."""

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXTRAS = ROOT / "requirements-extras.lock"  # versions that the heavy extras are tested with
# What is built or run here has no place in a wheel that is built from clean sources; `bomb/runs` has.
NOT_SOURCES = ("*.so", "*.egg-info", "__pycache__")
ENOUGH = 20_000  # characters of what a failed command said
NOT_SOURCES_HERE = {".git", ".venv", "build", "runs"}


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """BOMB's wheel: the one in the folder that BOMB_WHEELS names, or built here."""
    if "BOMB_WHEELS" in os.environ:
        (file,) = Path(os.environ["BOMB_WHEELS"]).glob("*.whl")
        return file
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, folder / "source", ignore=_no_sources)
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
        "--wheel-dir", str(folder), str(folder / "source"))  # fmt: skip
    (file,) = folder.glob("*.whl")
    return file


def _no_sources(folder: str, names: list[str]) -> set[str]:
    found = shutil.ignore_patterns(*NOT_SOURCES)(folder, names)
    return found | NOT_SOURCES_HERE if Path(folder) == ROOT else found


@pytest.fixture
def fresh(tmp_path, wheel) -> Path:
    """The Python of a new environment in which BOMB has just been installed."""
    python = new_python(tmp_path)
    install(python, str(wheel))
    return python


@pytest.fixture(scope="session")
def vla_python(tmp_path_factory, wheel) -> Path:
    """The Python of an environment with BOMB, torch and transformers."""
    python = new_python(tmp_path_factory.mktemp("vla"))
    install(python, "torch==2.13.0")  # first and by itself: which build it is depends on the machine
    install(python, "torch==2.13.0", f"{wheel}[vla,data]")  # data: LeRobot folders are learned from
    return python


@pytest.fixture(scope="session")
def tensorflow(tmp_path_factory) -> Path:
    """An environment with what the extra `rlds` asks for."""
    folder = tmp_path_factory.mktemp("tensorflow") / "venv"
    venv.create(folder, with_pip=True)
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("rlds = ")]
    wanted = json.loads(line.removeprefix("rlds = "))
    pip = (str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet")
    run(*pip, "--constraint", str(EXTRAS), "numpy>=2", *wanted)
    return folder


def new_python(folder: Path) -> Path:
    """The Python of a new environment in a folder."""
    venv.create(folder / "venv", with_pip=True)
    return folder / "venv" / "bin" / "python"


def install(python: Path, *what: str) -> None:
    """Installs with pip, at the versions that BOMB is tested with."""
    run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
        "--constraint", str(ROOT / "requirements.lock"),
        "--constraint", str(EXTRAS), *what)  # fmt: skip


def run(*command: str, cwd: Path | None = None) -> str:
    """Runs a command outside of the checkout and returns what it printed.

    Raises:
        AssertionError: with the end of its output, if it fails.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    answer = subprocess.run(
        command, cwd=cwd or Path(sys.prefix), env=clean, capture_output=True, text=True, timeout=900
    )
    if answer.returncode != 0:
        said = f"{answer.stderr[-ENOUGH:]}\n{answer.stdout[-ENOUGH:]}"  # pytest's list of failures comes last
        raise AssertionError(f"{' '.join(command)} ended with {answer.returncode}\n{said}")
    return answer.stdout
