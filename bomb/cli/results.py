"""``bomb results``."""

import argparse
from pathlib import Path

from core.errors import OptionError

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument("runs", nargs="*", type=Path, metavar="RUN", help="run folders of `bomb evaluate`")
    parser.add_argument(
        "--write",
        type=Path,
        metavar="PAGE.md",
        help="merge the runs into PAGE.json, and write all tables between the marks of PAGE.md; "
        "default: the tables of the runs go to the terminal",
    )
    parser.add_argument(
        "--name",
        metavar="WORDS",
        help="what the policy of these runs is called; default: the words that made it",
    )
    parser.add_argument("--by", default="", metavar="WHO", help="who played it, where it was not the project")
    parser.add_argument(
        "--merge",
        type=Path,
        action="append",
        default=[],
        metavar="FILE.json",
        help="entries of somebody else",
    )


def run(args: argparse.Namespace) -> int:
    """Reads the runs, merges and writes."""
    from bomb.disk.files import FileError, write_text
    from bomb.report.loading import load_runs
    from bomb.results.book import merged, read_book, write_book
    from bomb.results.entry import entries_of
    from bomb.results.tables import results_tables

    runs = load_runs(args.runs) if args.runs else []
    if not runs and not args.merge and args.write is None:
        raise OptionError("there is nothing to show: name run folders, --merge or --write")
    if args.name is not None and len({one.policy for one in runs}) > 1:
        raise OptionError("--name is of one policy, and the runs are of several")
    entries = [entry for one in runs for entry in entries_of(one, name=args.name, by=args.by)]
    for file in args.merge:
        if not file.exists():
            raise FileError(f"{file} does not exist")
        sent = read_book(file)
        if nameless := next((entry for entry in sent if not entry.by.strip()), None):
            raise FileError(
                f"{file} does not say who played {nameless.policy} in {nameless.backend}; "
                "`bomb results RUN... --by NAME --write FILE.md` writes entries that do"
            )
        entries += sent
    if args.write is None:
        print(results_tables(merged([], entries)), end="")
        return 0
    page, book = args.write, args.write.with_suffix(".json")
    if page == book:
        markdown = page.with_suffix(".md")
        raise OptionError(f"--write names the page, such as {markdown}; entries go into {book} beside it")
    try:
        text = page.read_text()
    except FileNotFoundError:
        text = f"# Results\n\n{BEGIN}\n{END}\n"
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise FileError(f"{page} must have one line {BEGIN} and after it one line {END}")
    every = merged(read_book(book), entries)
    before, after = text[: text.index(BEGIN) + len(BEGIN)], text[text.index(END) :]
    tables = results_tables(every)
    write_book(book, every)
    write_text(page, f"{before}\n{tables}{after}")
    print(f"{page}: {len(every)} results, {len(entries)} of them from these runs")
    return 0
