"""The commands in README and docs run as they stand, block after block of a page in one folder.

Only smaller: a ``bomb`` of our own before the real one on the path cuts what would take long, episodes, steps
and pixels, and hands everything else on. ``make`` says what it would do.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.interop.conftest import EXTRAS, run
from tests.test_doc_code import blocks, prepare
from tests.test_imports import ROOT

# Folders that these pages take for granted.
PREPARED = ("statistics.md", "exports.md")
# Episodes of a condition: as many as a page speaks of by their seed.
EPISODES = {"cli.md": 8, "report.md": 5}
FEWEST = 2
# What is cut short is no result, and these pages make results.
WHOLE = ("results.md",)
BOMB = f"""#!{sys.executable}
import os
import sys
import bomb.cli

CUT = {{"--workers": 2, "--max-steps": 5, "--image-size": 32, "--grid": 2}}
EPISODES = {{"collect": 1, "parity": 1, "evaluate": int(os.environ["EPISODES_OF_PAGE"])}}
words = sys.argv[1:]
verb = words[0] if words else ""
for name, most in {{**CUT, "--episodes": EPISODES.get(verb, 1)}}.items():
    if name in words:
        place = words.index(name) + 1
        words[place] = str(min(int(words[place]), most))
if "--size" in words:
    place = words.index("--size")
    words[place + 1 : place + 3] = ["48", "64"]
if "--seeds" in words:
    words[words.index("--seeds") + 1] = "0"
if verb in EPISODES and "--episodes" not in words:
    words += ["--episodes", str(EPISODES[verb])]
if verb == "evaluate" and "--max-steps" not in words and not int(os.environ["WHOLE_EPISODES"]):
    words += ["--max-steps", "5"]
if verb in ("export", "render") and "--image-size" not in words:
    words += ["--image-size", "32"]
if __name__ == "__main__":
    sys.exit(bomb.cli.main(words))
"""
MAKE = f"""#!/bin/sh
exec {os.environ.get("MAKE", "/usr/bin/make")} --dry-run --directory {ROOT} "$@" > /dev/null
"""


def pages() -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for block in blocks():
        if block.language == "bash" and not block.mark:
            found.setdefault(block.place.partition(":")[0], []).append((block.place, block.code))
    return found


@pytest.fixture(scope="module")
def rerun(tmp_path_factory) -> Path:
    """A folder with the extra `rerun`, at the versions of everything else here."""
    folder = tmp_path_factory.mktemp("rerun")
    limits = ("--constraint", str(ROOT / "requirements.lock"), "--constraint", str(EXTRAS))
    run(sys.executable, "-m", "pip", "install", "--quiet", *limits, "--target", str(folder), "rerun-sdk")
    return folder


@pytest.mark.commands
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("page", pages())
def test_commands_run_as_they_stand(page, tmp_path, request):
    path, folder = tmp_path / "path", tmp_path / "folder"
    for name, code in (("bomb", BOMB), ("make", MAKE)):
        path.mkdir(exist_ok=True)
        (path / name).write_text(code)
        (path / name).chmod(0o755)
    folder.mkdir()
    if page in PREPARED:
        prepare(folder)
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=shutil.ignore_patterns("pictures"))
    packages = [ROOT]
    if any("--rerun" in code for _, code in pages()[page]):
        packages.append(request.getfixturevalue("rerun"))
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(path), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": os.pathsep.join(map(str, packages)),
        "EPISODES_OF_PAGE": str(EPISODES.get(page, FEWEST)),
        "WHOLE_EPISODES": str(int(page in WHOLE)),
    }
    for place, code in pages()[page]:
        for number, line in enumerate(code.replace("\\\n", " ").splitlines()):
            answer = subprocess.run(
                ["bash", "-euc", line], cwd=folder, env=environment, capture_output=True, text=True
            )
            # 1 is an answer, too: what was asked about is not so.
            right = {0, 1} if line.startswith(("bomb inspect", "bomb replay", "bomb doctor")) else {0}
            if line.startswith("bomb parity") and " verdict" in answer.stdout:
                right |= {1, 2}  # we cut the episodes: too few to tell, or a bound missed by chance
            assert answer.returncode in right and "Traceback" not in answer.stderr, (
                f"{place}, line {number + 1}: {line}\n{answer.stdout}\n{answer.stderr}"
            )
