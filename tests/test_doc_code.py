"""The code in README and docs runs as it stands, or says that it is a fragment.

A line ``<!-- fragment -->``, with or without a reason, stands above what needs something around it;
``<!-- heavy -->`` above what takes long and runs in ``tests/interop/test_doc_code.py``. Pages show neither.
Python runs, all blocks in one process; commands go through the command line's own parser and settings, and
``tests/interop/test_doc_shell.py`` runs them.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from bomb.cli import VERBS, parser_for
from tests.conftest import PATIENCE_S
from tests.exports.conftest import make_dataset
from tests.report.stores import condition, make_run

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LANGUAGES = {"python", "bash", "yaml", "json", "text"}
FENCE = re.compile(r"(?:<!-- (\w+)[^>]*-->\n)?^```(\w*)\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
OTHERS = {"accelerate", "make", "pip", "python", "sqlite3", "vla-eval"}  # commands besides `bomb`

# Runs blocks out of a JSON file, each with names of its own, and tells of those that raise.
RUNNER = """
import json, sys, traceback
failed = {}
if __name__ == "__main__":
    for name, code in json.load(open(sys.argv[1])).items():
        try:
            exec(compile(code, name, "exec"), {"__name__": "__main__"})
        except BaseException:
            failed[name] = traceback.format_exc()
    json.dump(failed, open(sys.argv[2], "w"))
"""


@dataclass(frozen=True)
class Block:
    """A block of code: where it stands, what it is marked as, its language and text."""

    place: str
    mark: str
    language: str
    code: str


def blocks() -> list[Block]:
    found = []
    for page in PAGES:
        text = page.read_text()
        for match in FENCE.finditer(text):
            place = f"{page.name}:{text.count(chr(10), 0, match.start(2)) + 1}"
            shell = match[3].split(maxsplit=1)[0] in ("bomb", *OTHERS)
            language = {"": "bash" if shell else "text", "sh": "bash"}.get(match[2], match[2])
            found.append(Block(place, match[1] or "", language, match[3]))
    return found


def run_blocks(chosen: dict[str, str], folder: Path) -> dict[str, str]:
    """What raised, by the place of the block."""
    prepare(folder)
    (folder / "runner.py").write_text(RUNNER)
    (folder / "blocks.json").write_text(json.dumps(chosen))
    answer = subprocess.run(
        [sys.executable, "runner.py", "blocks.json", "failed.json"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=5 * PATIENCE_S,
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads((folder / "failed.json").read_text())


def prepare(folder: Path) -> None:
    """What the pages take for granted: datasets and runs in their places."""
    demos = make_dataset(folder / "runs" / "train", episodes=8, steps=2)
    os.symlink(demos.path, folder / "runs" / "demos")
    for name in ("a", "b", "blind", "expert"):
        make_run(folder / "runs" / name, lambda _, seed: seed % 2 == 0, conditions=[condition()], policy=name)


def test_every_block_says_what_it_is():
    wrong = [
        b.place for b in blocks() if b.language not in LANGUAGES or b.mark not in ("", "fragment", "heavy")
    ]
    assert not wrong and any(b.mark == "heavy" for b in blocks())


@pytest.mark.timeout(5 * PATIENCE_S)
def test_python_runs_as_it_stands(tmp_path):
    chosen = {b.place: b.code for b in blocks() if b.language == "python" and not b.mark}
    assert len(chosen) >= 10
    failed = run_blocks(chosen, tmp_path)
    assert not failed, "\n".join(f"{place}\n{words}" for place, words in failed.items())


def commands() -> list[tuple[str, list[str]]]:
    found = []
    for block in blocks():
        if block.language == "bash":
            for line in block.code.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                # Of fragments what is ours.
                if words and (block.mark != "fragment" or words[0] == "bomb"):
                    found.append((block.place, words))
    return found


@pytest.mark.parametrize(
    ("place", "words"), commands(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_commands_are_understood(place, words):
    if words[:2] == ["python", "-m"] and words[2] != "pip":
        assert find_spec(words[2]) is not None, f"{place}: {words[2]}"
    if words[0] != "bomb":
        assert words[0] in OTHERS, f"{place}: {words[0]}"
        return
    args = parser_for(words[1:]).parse_args(words[1:])
    assert args.verb in VERBS
    if args.verb == "evaluate":
        from bomb.cli.evaluate import read

        read(args)


def test_what_openpi_is_told_to_call_things_is_what_it_is_asked_for_at_evaluation():
    import numpy as np

    from bomb.integrations.openpi.mapping import mapping

    (code,) = [
        b.code for b in blocks() if b.place.startswith("exports.md") and "observation.images.head" in b.code
    ]
    repacked = set(eval(code)) - {"actions"}
    picture = np.zeros((8, 8, 3), np.uint8)
    seen = {
        "images": {"head": picture, "wrist": picture},
        "state": np.zeros(4, np.float32),
        "instruction": "Go.",
    }
    assert set(mapping("bomb").request(seen)) == repacked
    (inputs,) = [b.code for b in blocks() if "class BombInputs" in b.code]
    assert set(re.findall(r'data\["(observation/[\w/]+)"\]', inputs)) == repacked - {"prompt"}
