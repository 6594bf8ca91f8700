"""How far the simulators' pictures agree under every knob: ``bomb parity --perturbation`` for each of them.

Graded knobs at severity 3, categorical ones at each of their sets. A knob that was measured is not measured
again, so that what was interrupted resumes where it stopped.

    python -m benchmarks.perturbed_parity --json runs/perturbed_parity.json --write docs/perturbations.md
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from bomb.disk.files import write_json
from bomb.machine.progress import progress
from bomb.parity.pictures import PictureStudy
from core.perturbations import KNOBS

SEVERITY = 3
SAID = ("letters", "paraphrase_seen")  # of the words; the others, too, leave the picture as it is
BEGIN, END = "<!-- parity: begin -->", "<!-- parity: end -->"
ROWS = PictureStudy.keys


def names() -> list[str]:
    """``knob:level`` of everything that is measured."""
    found = []
    for name, knob in KNOBS.items():
        levels = SAID if name == "words" else list(knob.sets) or [SEVERITY]
        found += [f"{name}:{level}" for level in levels]
    return found


def measured(name: str, *options: str) -> dict:
    """The rows of one knob by name.

    Raises:
        RuntimeError: if ``bomb parity`` was interrupted or could not measure.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        # A process for each, so that no simulator of one knob is still there for the next.
        command = ["-m", "bomb", "parity", "--perturbation", name, "--json", str(file), *options]
        status = subprocess.run([sys.executable, *command], stdout=subprocess.DEVNULL).returncode
        if status not in (0, 1, 2):
            raise RuntimeError(f"bomb parity --perturbation {name} ended with status {status}")
        return json.loads(file.read_text())


def table(results: dict[str, dict]) -> str:
    """The results as a table in Markdown; what does not pass is bold."""
    some = next(iter(results.values()))
    bounds = [
        f"{key} ({'>=' if 'iou' in key or 'ssim' in key else '<='} {some[key]['bound']:g})" for key in ROWS
    ]
    lines = [f"| knob | {' | '.join(bounds)} |", "|---|" + "---|" * len(ROWS)]
    for name, rows in results.items():
        lines.append(f"| `{name}` | {' | '.join(_cell(rows[key]) for key in ROWS)} |")
    return "\n".join(lines)


def _cell(row: dict) -> str:
    value = "-" if row["value"] is None else f"{row['value']:.4g}"
    return value if row["verdict"] == "passes" else f"**{value}**"


def main() -> int:
    """Measures, prints the table and writes it; 1 if a knob does not pass."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--episodes", default="100", help="as bomb parity takes it: 100 are four of pictures")
    parser.add_argument("--workers", default="0", help="as bomb parity takes it")
    parser.add_argument("--json", type=Path, default=Path("runs/perturbed_parity.json"))
    parser.add_argument("--write", type=Path, help="a page with the two marks that the table goes between")
    args = parser.parse_args()
    results = json.loads(args.json.read_text()) if args.json.exists() else {}
    for name in progress(names(), unit="knob"):
        if name not in results:
            results[name] = measured(name, "--episodes", args.episodes, "--workers", args.workers)
            write_json(args.json, results)
    results = {name: results[name] for name in names()}
    print(table(results))
    if args.write:
        text = args.write.read_text()
        head, tail = text.split(BEGIN)[0], text.split(END)[1]
        args.write.write_text(f"{head}{BEGIN}\n{table(results)}\n{END}{tail}")
    return int(any(rows[key]["verdict"] != "passes" for rows in results.values() for key in ROWS))


if __name__ == "__main__":
    sys.exit(main())
