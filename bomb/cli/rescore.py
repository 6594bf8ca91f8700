"""``bomb rescore``."""

import argparse
import math
from pathlib import Path

# option: (field of core.Tolerances, factor to SI units, unit, what it limits)
OPTIONS: dict[str, tuple[str, float, str, str]] = {
    "distance-mm": ("distance", 1e-3, "mm", "distance from the named intersection"),
    "tilt-deg": ("tilt", math.pi / 180, "degrees", "tilt of the stone"),
    "gap-mm": ("gap", 1e-3, "mm", "gap between stone and board"),
    "clearance-mm": ("clearance", 1e-3, "mm", "distance that both pads must keep"),
    "speed-mm-s": ("speed", 1e-3, "mm/s", "speed of a stone at rest"),
    "spin-rad-s": ("spin", 1.0, "rad/s", "spin of a stone at rest"),
    "rest-s": ("rest_time", 1.0, "s", "how long it must rest"),
    "displacement-mm": ("displacement", 1e-3, "mm", "how far other stones may have moved"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument("run", type=Path, metavar="RUN", help="run folder of `bomb evaluate --out`")
    for option, (_, _, unit, words) in OPTIONS.items():
        parser.add_argument(
            f"--{option}",
            type=float,
            default=None,
            metavar="X",
            help=f"{words} ({unit}); default: as it was",
        )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")


def run(args: argparse.Namespace) -> int:
    """Judges again, and prints what changed.

    Returns 1 if the tolerances were left as they were and a verdict still came out differently.
    """
    from bomb.disk.files import write_json
    from bomb.runs.rescoring import rescore
    from bomb.runs.store import RunStore
    from bomb.statistics.formats import share, share_interval

    with RunStore.open(args.run) as store:
        result = rescore(store, changes(args))
    print(result.policy + (" (privileged: it sees the true state)" if result.privileged else ""))
    for condition in result.conditions:
        print(condition.key)
        for seed, (before, after) in condition.changed.items():
            print(f"  seed {seed}: {before} -> {after}")
        if condition.after.value is None:
            print("  no finished episodes")
            continue
        for words, rate in (("before", condition.before), ("after", condition.after)):
            print(f"  {words:7} {share(rate.value, 1):>6}  {share_interval(rate.interval)}  n = {rate.n}")
    print(f"{result.changed} of {result.n} verdicts changed")
    if result.unswept:
        print(
            f"{result.unswept} of {result.n} records are from before contact between control steps was kept: "
            "in their stages and reasons, touched by both pads counts as held (docs/checker.md)"
        )
    if args.json is not None:
        write_json(args.json, result.to_dict())
    if not changes(args) and not result.identical:
        print("the tolerances are the same and the verdicts are not: this checker is another than the run's")
        return 1
    return 0


def changes(args: argparse.Namespace) -> dict[str, float]:
    """The tolerances that were asked for, in SI units.

    Raises:
        OptionError: for a negative or infinite value.
    """
    from core.errors import OptionError

    chosen = {}
    for option, (name, factor, unit, _) in OPTIONS.items():
        value = getattr(args, option.replace("-", "_"))
        if value is not None:
            if not (math.isfinite(value) and value >= 0):
                raise OptionError(f"--{option} must be a number of {unit} from 0 up, got {value!r}")
            chosen[name] = value * factor
    return chosen
