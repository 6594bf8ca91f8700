"""The tests of models, training and explanations against the installed wheel, in one process with torch."""

import shutil

import pytest

from tests.interop.conftest import ROOT, install, run

FOLDERS = ("tests/models", "tests/training", "tests/explanation")

pytestmark = [pytest.mark.timeout(3600), pytest.mark.render]


def test_models_and_training_are_what_they_promise(vla_python, tmp_path):
    install(vla_python, "pytest", "pytest-timeout", "captum")  # captum: an independent finder of effects
    shutil.copytree(ROOT / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("pictures"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    print(run(str(vla_python), "-m", "pytest", "-q", *FOLDERS, "--durations=10", cwd=tmp_path))
