"""``bomb inspect``."""

import argparse
from functools import partial
from pathlib import Path

from bomb.machine.progress import progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument(
        "dataset", type=Path, metavar="DATASET", help="the --out of `bomb collect`, or a LeRobot export"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the page, an .html")


def run(args: argparse.Namespace) -> int:
    """Writes the page; status 1 if the dataset has anomalies."""
    from contextlib import closing

    from bomb.disk.files import write_text
    from bomb.inspection.findings import inspect_source
    from bomb.inspection.open_source import open_source
    from bomb.inspection.page import inspection_page

    with closing(open_source(args.dataset)) as source:
        bar = partial(progress, unit="episode", desc="inspecting")
        found = inspect_source(source, bar)
        write_text(args.out, inspection_page(source, found))
    print(
        f"{args.out}: {len(found.lengths)} episodes, {found.frames} frames, "
        f"{len(found.duplicates)} duplicates, {len(found.anomalies)} anomalies"
    )
    return 1 if found.anomalies or found.duplicates else 0
