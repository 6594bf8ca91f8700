r"""Whether the scripted expert can play what the perturbations make: a severity it cannot is a wrong one.

Only knobs that change the course of an episode are played; the others leave the expert's states as they are,
bit for bit, which tests/perturbations holds. Interrupted, it resumes where it stopped.

    python -m benchmarks.solvability --episodes 50 --json runs/solvability.json --write docs/perturbations.md
    python -m benchmarks.solvability --task games --levels 5 --json runs/solvability_games.json \
        --write docs/perturbations.md
"""

import argparse
import json
from pathlib import Path

import core
from bomb.machine.progress import progress
from bomb.pictures.gallery import levels_of
from bomb.policies.expert import Expert
from bomb.rollouts.rollout import play
from core.perturbations import KNOBS
from core.perturbations.base import WITHOUT_PHYSICS, Touches
from core.registry import TASKS

SPLIT = "calibration"
REQUIRED = 0.9
GAMES = "games"  # every task but the first


def placed(task: str, backend: str, knob: str, level: int | str, seeds: range) -> dict:
    """How many of the episodes of ``seeds`` the expert solves, every move of them, and why not the others."""
    env = core.make_task(
        task, backend=backend, cameras=(), split=SPLIT, stop_on_success=True, perturbations={knob: level}
    )
    reasons: dict[str, int] = {}
    for seed in seeds:
        info = play(env, Expert(), seed).info
        reason = "success" if info["success"] else info["placement"]["reason"]
        reasons[reason] = reasons.get(reason, 0) + 1
    env.close()
    return {"episodes": len(seeds), "success": reasons.pop("success", 0), "reasons": reasons}


def table(results: dict) -> str:
    """The results as a table in Markdown."""
    cells = {tuple(key.split("/")): f"{n['success']} / {n['episodes']}" for key, n in results.items()}
    tasks, backends = (sorted({key[k] for key in cells}) for k in (0, 1))
    lines = [f"| task | knob | level | {' | '.join(backends)} |", "|---|---|---|" + "---|" * len(backends)]
    for task in tasks:
        for knob, level in ((name, str(level)) for name in KNOBS for level in levels_of(KNOBS[name])):
            row = [cells.get((task, backend, knob, level), "") for backend in backends]
            if any(row):
                lines.append(f"| `{task}` | `{knob}` | {level} | {' | '.join(row)} |")
    return "\n".join(lines)


def can(task: str, knob: str) -> bool:
    """Whether a task can be played under a knob."""
    return KNOBS[knob].touches is not Touches.LAYOUT or knob in TASKS.load(task)().layout_knobs


def main() -> None:
    """Plays, prints the table and writes it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--task", default="place_stone", help="comma-separated; 'games' are all but place_stone, the default"
    )
    parser.add_argument("--episodes", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--knobs", help="comma-separated; default: all that change the course of an episode")
    parser.add_argument("--levels", help="comma-separated severities; default: all")
    parser.add_argument("--json", type=Path, default=Path("runs/solvability.json"))
    parser.add_argument("--write", type=Path, help="a page with the two marks that the table goes between")
    args = parser.parse_args()
    results = json.loads(args.json.read_text()) if args.json.exists() else {}
    names = (
        args.knobs.split(",") if args.knobs else [k for k in KNOBS if KNOBS[k].touches not in WITHOUT_PHYSICS]
    )
    wanted = args.levels.split(",") if args.levels else None
    games = [name for name in core.list_tasks() if name != "place_stone"]
    jobs = [
        (task, backend, knob, level)
        for task in (games if args.task == GAMES else args.task.split(","))
        for knob in names
        if can(task, knob)
        for level in levels_of(KNOBS[knob])
        for backend in core.list_backends()
        if wanted is None or KNOBS[knob].sets or str(level) in wanted
    ]
    for task, backend, knob, level in progress(jobs, unit="level"):
        key = f"{task}/{backend}/{knob}/{level}"
        if results.get(key, {}).get("episodes", 0) < args.episodes:
            results[key] = placed(task, backend, knob, level, range(args.seed, args.seed + args.episodes))
            args.json.parent.mkdir(parents=True, exist_ok=True)
            args.json.write_text(json.dumps(results, indent=1))
    print(table(results))
    for key, value in results.items():
        if value["success"] < REQUIRED * value["episodes"]:
            print(f"too hard: {key}: {value}")
    if args.write:
        name = "games" if args.task == GAMES else "solvability"
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        text = args.write.read_text()
        head, tail = text.split(begin)[0], text.split(end)[1]
        args.write.write_text(f"{head}{begin}\n{table(results)}\n{end}{tail}")


if __name__ == "__main__":
    main()
