"""``bomb replay``."""

import argparse
import sys
from pathlib import Path

from bomb.cli.options import names
from bomb.machine.progress import progress
from core.registry import BACKENDS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument("dataset", type=Path, metavar="DATASET", help="folder of `bomb collect`")
    parser.add_argument(
        "--backend",
        metavar="NAMES",
        help="play in these besides the simulator that made an episode: comma-separated out of "
        f"{', '.join(BACKENDS.names())}",
    )
    parser.add_argument("--workers", type=int, default=1, metavar="K", help="processes that play")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")


def run(args: argparse.Namespace) -> int:
    """Plays the actions again; 1 if too few episodes succeed in the simulator that made them."""
    from bomb.demonstrations.dataset import Dataset
    from bomb.demonstrations.replaying import LEAST, count_replays, replay_dataset
    from bomb.disk.differences import first_difference
    from bomb.disk.files import write_json
    from bomb.machine.versions import versions
    from bomb.statistics.formats import share, share_interval, words

    dataset = Dataset.open(args.dataset)
    backends = () if args.backend is None else names(args.backend, "--backend")
    changed = first_difference(dataset.settings["versions"], versions())
    if changed is not None:
        print(f"collected with {changed.name} {changed.before}, here it is {changed.now}", file=sys.stderr)
    total = count_replays(dataset, backends)
    with progress(total=total, unit="episode", desc="replaying") as bar:
        rows = replay_dataset(dataset, backends, workers=args.workers, report=lambda one: bar.update())
    for row in rows:
        verdict = "" if not row.required else (" ok" if row.passed else f" FAILED: must be {share(LEAST)}")
        print(
            f"made in {row.made_in}, played in {row.played_in}: {share(row.success.value, 1)} "
            f"{share_interval(row.success.interval)} of {row.success.n} succeed, "
            f"{row.exact} exact to the last bit{verdict}"
        )
        for reason, count in row.reasons.items():
            print(f"  {count:4d} x {words(reason)}")
    passed = all(row.passed for row in rows)
    if args.json is not None:
        write_json(
            args.json, {"dataset": str(args.dataset), "rows": [r.to_dict() for r in rows], "passed": passed}
        )
    return 0 if passed else 1
