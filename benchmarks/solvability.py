"""Whether the scripted expert can play what the perturbations make: a severity that it cannot is a wrong one.

Only knobs that change the course of an episode are played; the others leave the expert's states as they are,
bit for bit, which tests/perturbations holds. Interrupted, it goes on where it stopped.

    python -m benchmarks.solvability --episodes 50 --json runs/solvability.json --write docs/perturbations.md
"""

import argparse
import json
from pathlib import Path

from tqdm import tqdm

import core
from bomb.gallery import levels_of
from bomb.policies.expert import Expert
from bomb.rollout import play
from core.perturbation import WITHOUT_PHYSICS
from core.perturbations import KNOBS

SPLIT = "calibration"
REQUIRED = 0.9
BEGIN, END = "<!-- solvability: begin -->", "<!-- solvability: end -->"


def placed(backend: str, knob: str, level: int | str, seeds: range) -> dict:
    """How many of the episodes of ``seeds`` the expert solves, and why not the others."""
    env = core.make_task(
        backend=backend, cameras=(), split=SPLIT, stop_on_success=True, perturbations={knob: level}
    )
    reasons: dict[str, int] = {}
    for seed in seeds:
        placement = play(env, Expert(), seed).info["placement"]
        reason = "success" if placement["success"] else placement["reason"]
        reasons[reason] = reasons.get(reason, 0) + 1
    env.close()
    return {"episodes": len(seeds), "success": reasons.pop("success", 0), "reasons": reasons}


def table(results: dict) -> str:
    """The results as a table in Markdown."""
    backends = sorted({key.split("/")[0] for key in results})
    cells = {tuple(key.split("/")): value for key, value in results.items()}
    lines = ["| knob | level | " + " | ".join(backends) + " |", "|---|---|" + "---|" * len(backends)]
    for knob in KNOBS:
        for level in levels_of(KNOBS[knob]):
            row = [cells.get((name, knob, str(level))) for name in backends]
            if any(row):
                words = ["" if cell is None else f"{cell['success']} / {cell['episodes']}" for cell in row]
                lines.append(f"| `{knob}` | {level} | " + " | ".join(words) + " |")
    return "\n".join(lines)


def main() -> None:
    """Plays, prints the table and writes it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--episodes", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--knobs", help="comma-separated; left out: all that change the course of an episode")
    parser.add_argument("--levels", help="comma-separated severities; left out: all")
    parser.add_argument("--json", type=Path, default=Path("runs/solvability.json"))
    parser.add_argument("--write", type=Path, help="a page with the two marks between which the table goes")
    args = parser.parse_args()
    results = json.loads(args.json.read_text()) if args.json.exists() else {}
    names = (
        args.knobs.split(",") if args.knobs else [k for k in KNOBS if KNOBS[k].touches not in WITHOUT_PHYSICS]
    )
    wanted = args.levels.split(",") if args.levels else None
    jobs = [
        (backend, knob, level)
        for knob in names
        for level in levels_of(KNOBS[knob])
        for backend in core.list_backends()
        if wanted is None or KNOBS[knob].sets or str(level) in wanted
    ]
    for backend, knob, level in tqdm(jobs, unit="level"):
        key = f"{backend}/{knob}/{level}"
        if results.get(key, {}).get("episodes", 0) < args.episodes:
            results[key] = placed(backend, knob, level, range(args.seed, args.seed + args.episodes))
            args.json.parent.mkdir(parents=True, exist_ok=True)
            args.json.write_text(json.dumps(results, indent=1))
    print(table(results))
    for key, value in results.items():
        if value["success"] < REQUIRED * value["episodes"]:
            print(f"too hard: {key}: {value}")
    if args.write:
        text = args.write.read_text()
        head, tail = text.split(BEGIN)[0], text.split(END)[1]
        args.write.write_text(f"{head}{BEGIN}\n{table(results)}\n{END}{tail}")


if __name__ == "__main__":
    main()
