"""``bomb gallery``."""

import argparse
from pathlib import Path

from bomb.cli.options import add_drawn_episode
from bomb.machine.progress import progress
from core.errors import check_choice
from core.registry import BACKENDS
from core.rendering.observation import PIXELS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument("--knobs", metavar="NAMES", help="comma-separated; default: all that can be seen")
    add_drawn_episode(parser)
    parser.add_argument("--camera", default="head", metavar="NAME", help="head, front or wrist")
    parser.add_argument("--size", type=int, default=112, metavar="PIXELS", help="side of each picture")
    parser.add_argument("--out", type=Path, default=Path("runs/gallery.png"), metavar="FILE", help="a .png")


def run(args: argparse.Namespace) -> int:
    """Draws and writes the picture."""
    from bomb.pictures.gallery import gallery
    from bomb.pictures.images import write_png
    from core.perturbations import KNOBS
    from core.world.stage import CAMERAS

    names = (
        list(KNOBS)
        if args.knobs is None
        else [check_choice("perturbation", n.strip(), KNOBS) for n in args.knobs.split(",")]
    )
    backends = args.backend or BACKENDS.names()
    for name in backends:
        BACKENDS.target(name)
    check_choice("camera", args.camera, CAMERAS)
    PIXELS.check("--size", args.size)
    with progress(total=len(names), unit="knob") as bar:
        picture = gallery(
            backends, names, seed=args.seed, split=args.split, size=args.size, camera=args.camera,
            report=lambda knob: bar.update(),
        )  # fmt: skip
    write_png(args.out, picture)
    print(args.out)
    return 0
