"""``bomb render``."""

import argparse
from pathlib import Path

from bomb.cli.moments import add_moments, moments_of
from bomb.cli.options import held_out_sets, knobs, names
from bomb.machine.progress import progress
from core.errors import OptionError, check_choice
from core.registry import BACKENDS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    from bomb.demonstrations.rendering import KINDS
    from bomb.exports import FORMATS

    parser.add_argument("dataset", type=Path, metavar="DATASET", help="folder of `bomb collect`")
    parser.add_argument(
        "--backend", required=True, metavar="NAME", help=f"what draws: one of {', '.join(BACKENDS.names())}"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the pictures go")
    parser.add_argument(
        "--perturbations",
        metavar="KNOBS",
        help="presets and knobs that change only what is seen and said, like visual:2+words:spelled",
    )
    parser.add_argument(
        "--hold-out",
        metavar="SETS",
        help="what the pictures must not show, or none; default: as the dataset was collected",
    )
    parser.add_argument("--cameras", default="head", metavar="NAMES", help="comma-separated")
    parser.add_argument("--image-size", type=int, default=256, metavar="PIXELS", help="side of each picture")
    parser.add_argument(
        "--supersample", type=int, metavar="K", help="draw K times larger on each side and filter down"
    )
    parser.add_argument(
        "--format", default="mp4", metavar="NAME", help=f"one of {', '.join([*KINDS, *FORMATS])}"
    )
    add_moments(parser)
    parser.add_argument("--workers", type=int, default=1, metavar="K", help="processes that draw")


def run(args: argparse.Namespace) -> int:
    """Draws and writes."""
    from bomb.demonstrations.dataset import Dataset
    from bomb.demonstrations.pictures import held_out_of, visible_levels
    from bomb.demonstrations.rendering import KINDS, RenderSettings, render_dataset
    from bomb.exports import FORMATS, export

    check_choice("format", args.format, [*KINDS, *FORMATS])
    dataset = Dataset.open(args.dataset)
    held_out = held_out_of(dataset.settings) if args.hold_out is None else held_out_sets(args.hold_out)
    options = {
        "backend": args.backend,
        "cameras": names(args.cameras, "--cameras"),
        "image_size": (args.image_size, args.image_size),
        "perturbations": visible_levels(knobs(args.perturbations), held_out),
        "supersample": args.supersample,
        **moments_of(args),
    }
    if args.format in FORMATS:
        if args.hold_out is not None:
            raise OptionError(f"--hold-out is for {', '.join(KINDS)}: trainers get what the dataset may show")
        export(args.dataset, args.format, args.out, **options, workers=args.workers)
    else:
        settings = RenderSettings(**options, held_out=held_out, kind=args.format)
        with progress(total=len(dataset), unit="episode", desc="drawing") as bar:
            render_dataset(
                dataset, settings, args.out, workers=args.workers, report=lambda seed: bar.update()
            )
    print(args.out)
    return 0
