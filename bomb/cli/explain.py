"""``bomb explain``."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bomb.cli.options import names
from core.errors import OptionError

if TYPE_CHECKING:
    from bomb.explanation.settings import ExplanationSettings

MOST_SEEDS = 10_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    from bomb.explanation.moments import STAGES
    from bomb.explanation.occluders import OCCLUDERS
    from bomb.explanation.rollouts import PRESETS
    from bomb.explanation.settings import PATHS

    parser.add_argument(
        "--policy", required=True, metavar="NAME", help="as in `bomb evaluate`; not privileged"
    )
    parser.add_argument("--backend", required=True, metavar="NAMES", help="simulators, comma-separated")
    parser.add_argument("--seeds", default="0-4", metavar="WHICH", help="of the episodes: 0-4, or 3,7,12")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the same one again resumes")
    parser.add_argument("--task", default="place_stone", metavar="NAME", help="which game")
    parser.add_argument(
        "--perturbations", default="clean", metavar="WORDS", help="as in `bomb evaluate`, comma-separated"
    )
    parser.add_argument("--split", default="test", metavar="NAME", help="which family of seeds")
    parser.add_argument(
        "--path", default="own", metavar="WHO", help=f"who plays up to a moment: {', '.join(PATHS)}"
    )
    parser.add_argument(
        "--stages", default=",".join(STAGES), metavar="NAMES", help="which moments, comma-separated"
    )
    parser.add_argument("--grid", default="8", metavar="K", help="patches along a side, or 'model'")
    parser.add_argument("--occluder", default="mean", metavar="NAME", help=", ".join(OCCLUDERS))
    parser.add_argument("--swaps", type=int, default=4, metavar="K", help="other coordinates asked for")
    parser.add_argument(
        "--exact",
        default="64",
        metavar="K",
        help="layers and heads restored exactly in each map, or 'all'; the rest are estimates",
    )
    parser.add_argument("--chunks", default="full", metavar="MODE", help="as in `bomb evaluate`")
    parser.add_argument(
        "--rollouts", metavar="PRESET", help=f"play masked episodes, too: {', '.join(PRESETS)}"
    )
    parser.add_argument("--workers", type=int, metavar="N", help="processes of rollouts; default: one a core")
    parser.add_argument("--moments", default="yes", metavar="yes|no", help="no: rollouts alone")


def run(args: argparse.Namespace) -> int:
    """Explains, says what it will cost before it starts, and writes the page."""
    from tqdm import tqdm

    from bomb.disk.files import write_json
    from bomb.explanation.aggregate import aggregate
    from bomb.explanation.explaining import explain, read_explanation
    from bomb.explanation.page import write_page
    from bomb.explanation.rollouts import PRESETS, masked_rollouts
    from bomb.report.model import plain
    from core.errors import check_choice, check_integer

    settings = read(args)
    if args.workers is not None:
        check_integer("workers", args.workers, least=1)
    check_choice("moments", args.moments, ("yes", "no"))
    if args.rollouts is not None:
        check_choice("preset of rollouts", args.rollouts, PRESETS)
    elif args.moments == "no":
        raise OptionError("--moments no leaves nothing to do without --rollouts")
    if args.moments == "yes":
        bar = tqdm(unit="episode", desc="explaining", file=sys.stderr, disable=True)

        def begin(total: int, there: int, each: int) -> None:
            nonlocal bar
            count = (total - there) * len(settings.stages)
            asked = f"{count} moments at most, {each} questions each: {count * each} in all"
            print(f"{asked}, beside those of playing the episodes", file=sys.stderr)
            bar = tqdm(
                total=total, initial=there, unit="episode", desc="explaining", file=sys.stderr, delay=1
            )

        try:
            explain(settings, args.out, begin=begin, report=lambda name: bar.update())
        finally:
            bar.close()
        header, episodes = read_explanation(args.out)
        totals = aggregate(episodes)
        write_json(args.out / "summary.json", plain(totals))
        print(write_page(args.out, header, episodes, totals))
    if args.rollouts is not None:
        folder = args.out / "rollouts"
        print(
            masked_rollouts(
                settings,
                args.rollouts,
                folder,
                workers=args.workers,
                told=lambda name: print(f"playing {name}", file=sys.stderr),
            )
        )
    return 0


def read(args: argparse.Namespace) -> "ExplanationSettings":
    """The settings that the arguments say.

    Raises:
        OptionError, UnknownNameError: for values that are not allowed.
    """
    from bomb.explanation.settings import ExplanationSettings

    return ExplanationSettings(
        policy=args.policy,
        backends=names(args.backend, "--backend"),
        seeds=_seeds(args.seeds),
        task=args.task,
        perturbations=names(args.perturbations, "--perturbations"),
        split=args.split,
        path=args.path,
        stages=names(args.stages, "--stages"),
        grid=_count(args.grid, "--grid", "model"),
        occluder=args.occluder,
        swaps=args.swaps,
        exact=_count(args.exact, "--exact", "all"),
        chunks=args.chunks,
    )


def _count(text: str, option: str, every: str) -> int | None:
    if text == every:
        return None
    if not text.isdecimal():
        raise OptionError(f"{option} must be a number or {every!r}, got {text!r}")
    return int(text)


def _seeds(text: str) -> tuple[int, ...]:
    found: list[int] = []
    for part in names(text, "--seeds"):
        first, dash, last = part.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise OptionError(f"--seeds must be like 0-4 or 3,7,12, got {text!r}")
        low, high = int(first), int(last) if dash else int(first)
        if high < low:
            raise OptionError(f"--seeds counts upwards, such as {high}-{low}; got {part!r}")
        if high - low >= MOST_SEEDS:
            raise OptionError(f"--seeds names {high - low + 1} episodes, at most {MOST_SEEDS}")
        found += range(low, high + 1)
    return tuple(found)
