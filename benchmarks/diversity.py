"""How often the varied expert succeeds, variety by variety, and how long its episodes are.

python -m benchmarks.diversity --episodes 200 --json diversity.json --write docs/demonstrations.md
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

import core
from bomb.machine.progress import progress
from bomb.policies.varied import VARIETIES, VariedExpert
from bomb.rollouts.rollout import play
from bomb.statistics import rate

SPLIT = "calibration"
REQUIRED = 0.97
BEGIN, END = "<!-- diversity: begin -->", "<!-- diversity: end -->"

POLICIES: dict[str, VariedExpert] = {
    "none": VariedExpert(0.0),
    **{name: VariedExpert(1.0, (name,)) for name in VARIETIES},
    "all, level 0.5": VariedExpert(0.5),
    "all, level 1": VariedExpert(1.0),
}


def measure(backend: str, name: str, seeds: range) -> dict:
    """Successes and lengths over the episodes of ``seeds``."""
    env = core.make_task(backend=backend, cameras=(), split=SPLIT, stop_on_success=True)
    played = [play(env, POLICIES[name], seed) for seed in seeds]
    env.close()
    success = rate([one.info["success"] for one in played])
    lengths = [len(one.record.actions) for one in played]
    return {
        **success.to_dict(),
        "steps_mean": float(np.mean(lengths)),
        "steps_longest": max(lengths),
        "reasons": [one.info["placement"]["reason"] for one in played if not one.info["success"]],
    }


def table(results: dict[str, dict]) -> str:
    """The results as a table in Markdown."""
    backends = sorted({key.split("/")[0] for key in results})
    lines = [
        "| variety | " + " | ".join(f"{name}: success | steps, mean (longest)" for name in backends) + " |",
        "|---|" + "---|---|" * len(backends),
    ]
    for variety in POLICIES:
        cells = []
        for backend in backends:
            found = results[f"{backend}/{variety}"]
            low, high = found["interval"]
            cells.append(f"{found['value']:.1%} [{low:.1%}, {high:.1%}]")
            cells.append(f"{found['steps_mean']:.0f} ({found['steps_longest']})")
        lines.append(f"| {variety} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> int:
    """Plays, prints the table and writes it; 1 if a variety misses its bound."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--episodes", type=int, default=200, help="per variety and engine")
    parser.add_argument("--json", type=Path, help="file for the results")
    parser.add_argument("--write", type=Path, metavar="DOC", help="replace the table in this document")
    args = parser.parse_args()
    results, cells = {}, [(backend, name) for backend in core.list_backends() for name in POLICIES]
    for backend, name in progress(cells, unit="variety"):
        results[f"{backend}/{name}"] = measure(backend, name, range(args.episodes))
    text = f"{args.episodes} episodes each, split `{SPLIT}`:\n\n{table(results)}"
    print(text)
    if args.json is not None:
        args.json.write_text(json.dumps(results, indent=2) + "\n")
    if args.write is not None:
        head, rest = args.write.read_text().split(BEGIN)
        args.write.write_text(f"{head}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}")
    missed = [key for key, found in results.items() if found["value"] < REQUIRED]
    if missed:
        print(f"\nbelow {REQUIRED:.0%}: {', '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
