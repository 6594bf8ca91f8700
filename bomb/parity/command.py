"""``bomb parity``: measures how far two simulators agree, and prints the table."""

import argparse
import sys
from pathlib import Path

from bomb.cli import INTERRUPTED
from core.errors import OptionError, RenderError, check_choice
from core.registry import BACKENDS
from core.seeding import SPLITS

FULL = 1000  # episodes at which every row has the size that docs/parity.md names


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument(
        "--episodes",
        type=int,
        default=20,
        metavar="N",
        help=f"episodes of the large rows; the others scale with it, and {FULL} is the full size",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="S", help="seed of the first; the rest count up"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table there")
    parser.add_argument("--rows", metavar="NAMES", help="comma-separated; all rows if left out")
    parser.add_argument("--backends", default="mujoco,robotwin", metavar="A,B", help="the two to compare")
    parser.add_argument("--split", default="parity", metavar="NAME", help=f"one of {', '.join(SPLITS)}")
    parser.add_argument(
        "--perturbation",
        metavar="NAME[:LEVEL]",
        help="compare the pictures of this perturbation, at twice the clean bounds; severity 3 if left out",
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
    from bomb.parity.pictures import PictureStudy
    from bomb.parity.studies import STUDIES
    from bomb.parity.study import StudyPlan
    from bomb.parity.table import exit_status, to_json, to_text

    plan = StudyPlan(
        episodes=_at_least("--episodes", args.episodes, 1),
        seed=_at_least("--seed", args.seed, 0),
        split=check_choice("split", args.split, SPLITS),
        backends=_pair(args.backends),
        out=args.out,
        perturbations=_perturbation(args.perturbation),
    )
    # Under a perturbation the pictures are what is compared.
    studies = STUDIES if plan.perturbations is None else (PictureStudy(),)
    keys = _keys(args.rows, [key for study in studies for key in study.keys])
    results, interrupted = _measure(plan, keys, _at_least("--workers", args.workers, 0))
    rows = [row for study, finished in results for row in study.rows(plan, finished) if row.key in keys]
    print(to_text(rows))
    if args.json is not None:
        write_json(args.json, to_json(rows))
    if interrupted:
        print("interrupted: the table holds what was finished", file=sys.stderr)
        return INTERRUPTED
    return exit_status(rows)


def _measure(plan, keys: list[str], workers: int) -> tuple[list, bool]:
    """Pairs of (study, its finished results in the order of their seeds), and whether Ctrl-C came."""
    from tqdm import tqdm

    from bomb.parity.studies import STUDIES
    from bomb.parity.study import measure

    collected = []
    for study in STUDIES:
        if not set(study.keys) & set(keys):
            continue
        jobs, results = study.jobs(plan), {}
        collected.append((study, results, jobs))
        with tqdm(total=len(jobs), unit="job", desc=study.name, file=sys.stderr) as bar:
            try:
                measure(study, plan, results, workers=workers, report=bar.update)
            except RenderError as error:
                # Without a driver everything but pictures can be measured; their rows stay undecided.
                print(f"{study.name}: {error}", file=sys.stderr)
            except KeyboardInterrupt:
                return _ordered(collected), True
    return _ordered(collected), False


def _ordered(collected: list) -> list:
    return [(study, [results[job] for job in jobs if job in results]) for study, results, jobs in collected]


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


def _perturbation(name: str | None) -> str | None:
    """``name:level``; severity 3, or the first set, where no level is given."""
    from core.perturbations import KNOBS
    from core.perturbations.presets import DEFAULT_SEVERITY, make_suite

    if name in KNOBS:
        name = f"{name}:{next(iter(KNOBS[name].sets), DEFAULT_SEVERITY)}"
    make_suite(name)  # a wrong one is an error before anything is played
    return name


def _keys(names: str | None, valid: list[str]) -> list[str]:
    if names is None:
        return valid
    return [check_choice("row", name.strip(), valid) for name in names.split(",")]
