"""The tests of models, tests/models, against the installed wheel: one process with torch and transformers."""

import shutil

import pytest

from tests.interop.conftest import ROOT, install, run

pytestmark = [pytest.mark.timeout(3600), pytest.mark.render]


def test_every_law_of_every_model_holds(vla_python, tmp_path):
    install(vla_python, "pytest", "pytest-timeout")
    shutil.copytree(ROOT / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    print(run(str(vla_python), "-m", "pytest", "-q", "tests/models", "--durations=10", cwd=tmp_path))
