"""``bomb parity``: measures how far two simulators agree, and prints the table."""

import argparse
import sys
from pathlib import Path

from bomb.processes.statuses import INTERRUPTED
from core.errors import OptionError, check_choice
from core.registry import BACKENDS
from core.seeding import SPLITS, check_seed

FULL = 1000  # episodes at which every row has the size that docs/parity.md names
SAMPLE = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument(
        "--episodes",
        type=int,
        metavar="N",
        help=f"episodes of the large rows; the others scale with it, and {FULL} is the full size; default "
        f"{SAMPLE}, and {FULL} where only rows of contact are asked for",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="S", help="seed of the first; the rest count up"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the table there; what was interrupted resumes"
    )
    parser.add_argument(
        "--rows", metavar="NAMES", help="comma-separated, or contact; default: all but contact"
    )
    parser.add_argument("--backends", default="mujoco,robotwin", metavar="A,B", help="the two to compare")
    parser.add_argument("--split", default="parity", metavar="NAME", help=f"one of {', '.join(SPLITS)}")
    parser.add_argument(
        "--perturbation",
        metavar="NAME[:LEVEL]",
        help="compare the pictures of this perturbation, at twice the clean bounds; default severity: 3",
    )
    parser.add_argument("--workers", type=int, default=2, metavar="K", help="processes; 0 plays in this one")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="pictures of both simulators side by side, with their difference",
    )


def run(args: argparse.Namespace) -> int:
    """Measures, prints and writes.

    Returns:
        1 if a row's interval excludes its bound, else 2 if there are too few episodes to tell, else 0;
        130 after Ctrl-C, with what was finished printed and written.
    """
    from bomb.disk.files import write_json
    from bomb.parity.comparison import compare, contact_alone, with_level
    from bomb.parity.study import StudyPlan
    from bomb.parity.table import exit_status, to_json, to_text

    rows = None if args.rows is None else [name.strip() for name in args.rows.split(",")]
    episodes = args.episodes
    if episodes is None:
        episodes = FULL if contact_alone(rows) else SAMPLE
    plan = StudyPlan(
        episodes=_at_least("--episodes", episodes, 1),
        seed=check_seed(args.seed),
        split=check_choice("split", args.split, SPLITS),
        backends=_pair(args.backends),
        out=args.out,
        perturbations=with_level(args.perturbation),
    )
    found = compare(
        plan,
        rows=rows,
        workers=_at_least("--workers", args.workers, 0),
        journal=args.json and args.json.with_name(args.json.name + ".journal"),
    )
    print(to_text(found.rows))
    if args.json is not None:
        write_json(args.json, to_json(found.rows))
    if found.interrupted:
        print("interrupted: the table holds what was finished", file=sys.stderr)
        return INTERRUPTED
    return exit_status(found.rows)


def _at_least(option: str, value: int, least: int) -> int:
    if value < least:
        raise OptionError(f"{option} must be at least {least}, got {value}")
    return value


def _pair(names: str) -> tuple[str, str]:
    pair = tuple(name.strip() for name in names.split(","))
    if len(pair) != 2 or pair[0] == pair[1]:
        raise OptionError(f"--backends must be two different names, separated by a comma, got {names!r}")
    for name in pair:
        BACKENDS.target(name)
    return pair
