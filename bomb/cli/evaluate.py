"""``bomb evaluate``."""

import argparse
import sys
from pathlib import Path

from bomb.cli import INTERRUPTED
from core.errors import OptionError
from core.registry import BACKENDS, POLICIES, TASKS
from core.seeding import SPLITS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument(
        "--policy", required=True, metavar="NAME", help=f"one of {', '.join(POLICIES.names())}"
    )
    parser.add_argument(
        "--backend", required=True, metavar="NAME", help=f"one of {', '.join(BACKENDS.names())}"
    )
    parser.add_argument(
        "--task", default="place_stone", metavar="NAME", help=f"one of {', '.join(TASKS.names())}"
    )
    parser.add_argument("--split", default="test", metavar="NAME", help=f"one of {', '.join(SPLITS)}")
    parser.add_argument("--episodes", type=int, default=20, metavar="N", help="how many episodes")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="S", help="seed of the first; the rest count up"
    )
    parser.add_argument(
        "--max-steps",
        type=int,
        metavar="K",
        help="actions per episode; left out: the task's own, 400 for one move",
    )
    parser.add_argument("--action-mode", default="delta", metavar="MODE", help="delta or absolute")
    parser.add_argument("--control-hz", type=int, default=20, metavar="HZ", help="actions per second")
    parser.add_argument(
        "--cameras",
        metavar="NAMES",
        help="comma-separated, or 'none'; left out: none for privileged policies, head for the others",
    )
    parser.add_argument("--image-size", type=int, default=256, metavar="PIXELS", help="side of each picture")
    parser.add_argument(
        "--stop-on-success", action="store_true", help="end an episode when success first holds"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="run folder; the same one again goes on where it stopped"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")


def run(args: argparse.Namespace) -> int:
    """Evaluates, prints the result and writes it."""
    from tqdm import tqdm

    from bomb.evaluation import EvaluationSettings, evaluate
    from bomb.files import write_json
    from bomb.policies.making import policy_class

    settings = EvaluationSettings(
        policy=args.policy,
        backend=args.backend,
        task=args.task,
        split=args.split,
        episodes=args.episodes,
        seed=args.seed,
        max_steps=args.max_steps,
        action_mode=args.action_mode,
        control_hz=args.control_hz,
        cameras=chosen_cameras(args.cameras, policy_class(args.policy).privileged),
        image_size=(args.image_size, args.image_size),
        stop_on_success=args.stop_on_success,
    )
    successes = 0
    with tqdm(
        total=args.episodes, unit="episode", desc=f"{args.policy} in {args.backend}", file=sys.stderr, delay=1
    ) as bar:

        def report(seed: int, verdict: dict) -> None:
            nonlocal successes
            successes += verdict["success"]
            bar.set_postfix_str(f"{successes} placed", refresh=False)
            bar.update()

        result = evaluate(settings, args.out, report)
    for path in (args.json, args.out and args.out / "summary.json"):
        if path is not None:
            write_json(path, result)
    print(summary(result))
    if result["complete"]:
        return 0
    if result["errors"]:
        return 1
    print(f"interrupted after {result['n']} of {args.episodes} episodes", file=sys.stderr)
    return INTERRUPTED


def chosen_cameras(names: str | None, privileged: bool) -> tuple[str, ...]:
    """Cameras out of the option's words.

    Raises:
        OptionError: if the option is empty.
    """
    if names is None:
        return () if privileged else ("head",)
    if names == "none":
        return ()
    cameras = tuple(name.strip() for name in names.split(","))
    if not all(cameras):
        raise OptionError(f"--cameras must be comma-separated names or 'none', got {names!r}")
    return cameras


def summary(result: dict) -> str:
    """The result in a few lines."""
    sees = " (privileged: it sees the true state)" if result["privileged"] else ""
    lines = [
        f"{result['policy']} in {result['backend']}, task {result['task']}, {result['n']} episodes{sees}"
    ]
    if result["success_rate"] is not None:
        for words, key in (("success at the end", "success"), ("success at any time", "success_once")):
            low, high = result["interval"] if key == "success" else result["success_once_interval"]
            lines.append(f"  {words:22} {result[key + '_rate']:6.1%}  [{low:.1%}, {high:.1%}]")
    median = result["success_distance_mm"]["value"]
    if median is not None:
        lines.append(f"  {'median distance, placed':22} {median:5.2f} mm")
    if result["moves"] is not None:
        moves = result["moves"]
        lines.append(f"  {'moves done, on average':22} {moves['average_length']['value']:5.2f}")
        lines += [
            f"  {k + ' in a row':22} {share['value']:6.1%}  of {share['n']}"
            for k, share in moves["in_a_row"].items()
        ]
    lines += [f"  {count:4d} x {reason.replace('_', ' ')}" for reason, count in result["reasons"].items()]
    lines += [f"  seed {seed} could not be played: {message}" for seed, message in result["errors"].items()]
    return "\n".join(lines)
