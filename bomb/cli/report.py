"""``bomb report``."""

import argparse
from collections.abc import Callable
from pathlib import Path

from core.errors import OptionError

FORMATS = ("html", "json", "csv", "markdown")
ROWS = ("conditions", "episodes")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="run folders of `bomb evaluate`")
    parser.add_argument("--format", choices=FORMATS, default="html", help="what to write")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="where to; default: RUN/report.html for a page of one run, else the terminal",
    )
    parser.add_argument(
        "--margin",
        type=float,
        metavar="M",
        help="a difference of success rates that would not matter, for example 0.05; only with it is "
        "anything called equal",
    )
    parser.add_argument(
        "--pairs",
        type=int,
        default=3,
        metavar="N",
        help="how many pairs of twins the page shows as videos; 0 needs no graphics driver",
    )
    parser.add_argument(
        "--twins-across",
        action="store_true",
        help="take clean twins also from a run of the same policy that was made with other versions, "
        "renderer or tolerances, and say so wherever they are used",
    )
    parser.add_argument("--rows", choices=ROWS, default="conditions", help="what a row of the CSV is")


def run(args: argparse.Namespace) -> int:
    """Sums up the runs and writes the report."""
    from bomb.report.loading import load_runs
    from bomb.report.summary import summarise

    if args.format != "csv" and args.rows != "conditions":
        raise OptionError(f"--rows {args.rows} is for --format csv, not {args.format}")
    out = args.out
    if args.format == "html" and out is None:
        if len(args.runs) > 1:
            raise OptionError("a page of several runs needs --out FILE")
        out = args.runs[0] / "report.html"
    if args.pairs < 0:
        raise OptionError(f"--pairs must be at least 0, got {args.pairs}")
    if out is not None and out.is_dir():
        raise OptionError(f"--out must be a file, {out} is a folder")
    runs = load_runs(args.runs)
    if args.format == "csv" and args.rows == "episodes":
        from bomb.report.tidy import episodes_csv

        return _write(episodes_csv(runs), out)
    summary = summarise(runs, margin=args.margin, twins_across=args.twins_across)
    if args.format == "html":
        from bomb.report.page import write_page

        write_page(out, summary, runs, pairs=args.pairs)
        print(out)
        return 0
    return _write(_text_of(args.format)(summary), out)


def _text_of(name: str) -> Callable[..., str]:
    """What makes text of a ``Summary``."""
    if name == "csv":
        from bomb.report.tidy import conditions_csv

        return conditions_csv
    if name == "markdown":
        from bomb.report.markdown import to_markdown

        return to_markdown
    import json

    return lambda summary: json.dumps(summary.to_dict(), indent=2, allow_nan=False) + "\n"


def _write(text: str, out: Path | None) -> int:
    from bomb.disk.files import write_text

    if out is None:
        print(text, end="")
    else:
        write_text(out, text)
        print(out)
    return 0
