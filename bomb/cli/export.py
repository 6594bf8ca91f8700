"""``bomb export``."""

import argparse
from pathlib import Path

from bomb.cli.moments import add_moments, moments_of
from bomb.cli.options import knobs, names
from bomb.exports import FORMATS
from bomb.exports.settings import COLUMNS
from core.errors import OptionError
from core.registry import BACKENDS
from core.world.stage import CAMERAS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument("dataset", type=Path, metavar="DATASET", help="the --out of `bomb collect`")
    parser.add_argument("--format", required=True, metavar="FORMAT", help=f"one of {', '.join(FORMATS)}")
    parser.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="its folder; name it again to resume"
    )
    parser.add_argument(
        "--backend",
        metavar="NAME",
        help=f"which engine draws, one of {', '.join(BACKENDS.names())}; default: the one it was played in",
    )
    parser.add_argument(
        "--cameras", default="head", metavar="NAMES", help=f"comma-separated, out of {', '.join(CAMERAS)}"
    )
    parser.add_argument("--image-size", default="256", metavar="SIZE", help="PIXELS, or HEIGHTxWIDTH")
    parser.add_argument(
        "--perturbations",
        metavar="WORDS",
        help="knobs that change what is seen and said, as in `bomb evaluate`",
    )
    parser.add_argument("--supersample", type=int, metavar="K", help="draw K times larger, and filter")
    parser.add_argument(
        "--columns",
        metavar="NAMES",
        help=f"comma-separated: {', '.join(COLUMNS)}",
    )
    parser.add_argument("--actions", default="delta", metavar="CONVENTION", help="delta or absolute")
    parser.add_argument(
        "--pictures",
        metavar="HOW",
        help="video, png or jpeg; default: video for lerobot, png for the others",
    )
    parser.add_argument("--codec", default="h264", metavar="NAME", help="of videos: h264 or av1")
    parser.add_argument(
        "--drop-noops", action="store_true", help="leave out frames in which nothing is commanded"
    )
    add_moments(parser)
    parser.add_argument("--name", metavar="NAME", help="of the dataset, in rlds; default: bomb_TASK")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes that draw")


def run(args: argparse.Namespace) -> int:
    """Exports, and says what there is now."""
    from bomb.exports import export

    made = export(
        args.dataset,
        args.format,
        args.out,
        backend=args.backend,
        cameras=names(args.cameras, "--cameras"),
        image_size=image_size(args.image_size),
        perturbations=knobs(args.perturbations),
        supersample=args.supersample,
        columns=() if args.columns is None else names(args.columns, "--columns"),
        actions=args.actions,
        pictures=args.pictures,
        codec=args.codec,
        drop_noops=args.drop_noops,
        **moments_of(args),
        name=args.name,
        workers=args.workers,
    )
    new = f", {made.written} of them new" if made.written < made.frames else ""
    print(f"{made.path}: {made.episodes} episodes, {made.frames} frames{new}, {made.tasks} instructions")
    return 0


def image_size(words: str) -> tuple[int, int]:
    """(height, width) of ``256`` or ``240x320``.

    Raises:
        OptionError: if it is neither.
    """
    sides = words.lower().split("x")
    if len(sides) > 2 or not all(side.strip().isdecimal() for side in sides):
        raise OptionError(f"image size must be PIXELS or HEIGHTxWIDTH, got {words!r}")
    return int(sides[0]), int(sides[-1])
