"""``bomb collect``."""

import argparse
import sys
from pathlib import Path
from typing import Any

from bomb.cli.options import held_out_sets, knobs, names
from bomb.policies.varied import VARIETIES
from bomb.processes.statuses import INTERRUPTED
from bomb.statistics.formats import fixed, words
from core.errors import check_choice
from core.registry import BACKENDS, TASKS

NATIVE = "native"  # what `bomb collect` writes first in any case


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    from bomb.demonstrations.settings import DIVERSITY, SPLITS
    from bomb.exports import FORMATS
    from core.perturbations.heldout import HELD_OUT

    parser.add_argument(
        "--episodes", type=int, required=True, metavar="N", help="how many successful episodes"
    )
    parser.add_argument(
        "--backend",
        required=True,
        metavar="NAMES",
        help=f"comma-separated, episodes take turns: {', '.join(BACKENDS.names())}",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the dataset goes")
    parser.add_argument(
        "--task", default="place_stone", metavar="NAME", help=f"one of {', '.join(TASKS.names())}"
    )
    parser.add_argument("--split", default="train", metavar="NAME", help=f"one of {', '.join(SPLITS)}")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="S", help="seed of the first; the rest count up"
    )
    parser.add_argument(
        "--perturbations",
        metavar="KNOBS",
        help="presets and knobs, like visual:2+board_pose:3; held-out sets of a preset are replaced by what "
        "may be trained on",
    )
    parser.add_argument(
        "--diversity",
        default="none",
        metavar="LEVEL",
        help=f"how much the expert varies: 0 to 1, or {', '.join(DIVERSITY)}; by kind, out of "
        f"{', '.join(VARIETIES)}, as in speed:1+pause:0.5 or high+pause:0",
    )
    parser.add_argument(
        "--tail",
        type=int,
        default=0,
        metavar="K",
        help="keep K actions after success; default: it ends there",
    )
    parser.add_argument(
        "--hold-out",
        default=",".join(HELD_OUT),
        metavar="SETS",
        help=f"what is held out for evaluation: comma-separated out of {', '.join(HELD_OUT)}, or none",
    )
    parser.add_argument("--action-mode", default="delta", metavar="MODE", help="delta or absolute")
    parser.add_argument("--control-hz", type=int, default=20, metavar="HZ", help="actions per second")
    parser.add_argument(
        "--max-steps", type=int, metavar="K", help="actions per episode at most; default: the task's own"
    )
    parser.add_argument("--workers", type=int, default=1, metavar="K", help="processes that play and draw")
    parser.add_argument(
        "--format",
        default=NATIVE,
        metavar="NAME",
        help=f"{NATIVE} (states; pictures can be drawn at any time), or {', '.join(FORMATS)}: "
        "the states then go to DIR-native, and DIR is drawn from them",
    )
    parser.add_argument(
        "--cameras", default="head", metavar="NAMES", help="of other formats than native: comma-separated"
    )
    parser.add_argument(
        "--image-size", type=int, default=256, metavar="PIXELS", help="of other formats: side of each picture"
    )
    parser.add_argument(
        "--renderer",
        metavar="NAME",
        help="of other formats: which engine draws; default: the first of --backend",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write counts and rates there")


def run(args: argparse.Namespace) -> int:
    """Collects, exports if asked to, and says what there is."""
    from bomb.collecting.collecting import collect
    from bomb.collecting.progress import CollectionBar
    from bomb.demonstrations.settings import CollectionSettings, chosen_levels, diversity_of
    from bomb.disk.files import write_json
    from bomb.exports import FORMATS, export, writer_class
    from bomb.exports.settings import ExportSettings

    check_choice("format", args.format, [NATIVE, *FORMATS])
    held_out = held_out_sets(args.hold_out)
    settings = CollectionSettings(
        backends=names(args.backend, "--backend"),
        task=args.task,
        split=args.split,
        seed=args.seed,
        perturbations=chosen_levels(knobs(args.perturbations), held_out),
        held_out=held_out,
        diversity=diversity_of(args.diversity, VARIETIES),
        tail=args.tail,
        action_mode=args.action_mode,
        control_hz=args.control_hz,
        max_steps=args.max_steps,
    )
    if args.format != NATIVE:
        # Before hours are spent on what cannot be written.
        kind = writer_class(args.format)
        kind.check()
        ExportSettings(
            format=args.format,
            backend=args.renderer or settings.backends[0],
            cameras=names(args.cameras, "--cameras"),
            image_size=(args.image_size, args.image_size),
            pictures=kind.pictures[0],
        )
    out = args.out if args.format == NATIVE else args.out.with_name(f"{args.out.name}-native")
    with CollectionBar(args.episodes) as bar:
        result = collect(settings, args.episodes, out, workers=args.workers, report=bar.update)
    summary = {**settings.to_dict(), "out": str(out), **result.to_dict()}
    if args.json is not None:
        write_json(args.json, summary)
    print(told(summary))
    if not result.complete:
        print(
            f"interrupted after {result.kept} of {args.episodes} episodes; the same command resumes",
            file=sys.stderr,
        )
        return INTERRUPTED
    if args.format != NATIVE:
        export(
            out,
            args.format,
            args.out,
            backend=args.renderer or settings.backends[0],
            cameras=names(args.cameras, "--cameras"),
            image_size=(args.image_size, args.image_size),
            workers=args.workers,
        )
        print(f"{args.format}: {args.out}")
    return 0


def told(summary: dict[str, Any]) -> str:
    """The result in a few lines."""
    lines = [
        f"{summary['episodes']} demonstrations of {summary['task']} in {', '.join(summary['backends'])}, "
        f"split {summary['split']}: {summary['out']}"
    ]
    if summary["played"]:
        rate, mean = summary["played"] / summary["wall_s"], summary["steps"] / summary["played"]
        lines.append(
            f"  {summary['played']} played now, {fixed(rate)} a second, {fixed(mean, 0)} steps on average"
        )
    if summary["perturbations"]:
        levels = ", ".join(f"{name}: {level}" for name, level in summary["perturbations"].items())
        lines.append(f"  perturbations {levels}")
    if summary["left_out"]:
        lines.append(f"  {summary['left_out']} seeds skipped: their goals are held out")
    lines += [f"  {count:4d} x {words(reason)}" for reason, count in summary["failures"].items()]
    lines += [f"  seed {seed} could not be played: {message}" for seed, message in summary["errors"].items()]
    return "\n".join(lines)
