"""Measures what rows of hard contact reach: ``python -m scripts.contact_bounds [--situations NAME,...]``.

Writes ``bomb/parity/contact/reached.py`` after a change of physics. Seeds are of the split `calibration`,
from ``FIRST`` on, where nothing was tuned: the parity split is judged by the bounds, and has no part in
them. A bound lies twice as far from the value as the end of its interval, so that the interval of another
sample of this size lies within. Floors are not played: where they are the larger bound, `bomb parity` takes
them.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np

from bomb.machine.progress import progress
from bomb.parity.contact import reached
from bomb.parity.contact.courses import course
from bomb.parity.contact.measures import moved
from bomb.parity.contact.rows import Compared, NoBias, rows_of
from bomb.parity.contact.situations import SITUATIONS, Situation
from bomb.parity.study import StudyPlan
from bomb.parity.table import PASSES, Row
from bomb.statistics.formats import significant
from core.errors import BombError, check_choice, check_integer
from core.seeding import stream

SPLIT, FIRST, EPISODES = "calibration", 1000, 100
LEAST = 20  # episodes: fewer have no intervals
PLAN = StudyPlan()


def once(situation: Situation, seed: int) -> Compared:
    """One start in both simulators, with floors of zero."""
    start = situation.make(stream(SPLIT, seed, f"contact {situation.name}"), np.zeros(3))
    a, b = (course(backend, start) for backend in PLAN.backends)
    outcome = situation.outcome
    return Compared(
        apart=situation.scale.apart(a, b),
        floor=(0.0, 0.0),
        went=(situation.scale.went(a), situation.scale.went(b)),
        moved=tuple((moved(one),) * 2 for one in (a, b)),
        outcome=tuple((outcome(one),) * 2 for one in (a, b)) if outcome else None,
    )


def bound_of(row: Row) -> float | None:
    """What a row reaches, to two digits; None where its value is as wanted, or does not exist."""
    estimate, bound = row.estimate, row.bound
    value, low, high = estimate.value, estimate.low, estimate.high
    if value is None or low is None or high is None or row.verdict == PASSES:
        return None
    if isinstance(bound, NoBias):
        return outwards(abs(value) + 2 * max(high - value, value - low), up=True)
    if value >= bound.value if bound.at_least else value <= bound.value:
        return None
    if bound.at_least:
        return outwards(max(value - 2 * (value - low), -1.0), up=False)
    return outwards(value + 2 * (high - value), up=True)


def outwards(value: float, *, up: bool) -> float:
    """The next number of two digits, of two decimals for shares."""
    step = 10.0 ** (np.floor(np.log10(abs(value))) - 1) if up and value else 0.01
    return float(f"{(np.ceil if up else np.floor)(value / step) * step:.6g}")


def write(bounds: dict[str, float], keys: Iterable[str]) -> None:
    """Puts the bounds into ``reached.py``, in the order of the table."""
    lines = "".join(f"    {json.dumps(key)}: {bounds[key]},\n" for key in keys if key in bounds)
    head = (reached.__doc__ or "").rstrip("\n")
    with open(reached.__file__, "w") as file:
        file.write(f'"""{head}\n"""\n\nREACHED: dict[str, float] = {{\n{lines}}}\n')


def main() -> int:
    """Plays and writes; 2 after a wrong argument, which is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--situations", type=lambda words: words.split(","))
    parser.add_argument("--episodes", type=int, default=EPISODES)
    args = parser.parse_args()
    try:
        measure(args.situations, check_integer("episodes", args.episodes, least=LEAST))
    except BombError as error:
        print(f"contact_bounds: {error}", file=sys.stderr)
        return 2
    return 0


def measure(situations: Sequence[str] | None, episodes: int) -> None:
    """Plays situations, by default all, and writes the bounds of their rows.

    Raises:
        UnknownNameError: for a situation that does not exist, before anything is played.
    """
    names = [situation.name for situation in SITUATIONS]
    chosen = {
        check_choice("situation", name, names) for name in (names if situations is None else situations)
    }
    bounds = dict(reached.REACHED)
    for situation in (one for one in SITUATIONS if one.name in chosen):
        kinds = [f"{situation.name}_{kind}" for kind in situation.kinds]
        for key in kinds:
            reached.REACHED.pop(key, None)  # rows have the bounds that are wanted
        play, results = partial(once, situation), []
        with progress(total=episodes, unit="episode", desc=situation.name) as bar:
            for seed in range(FIRST, FIRST + episodes):
                results.append(play(seed))
                bar.update()
        for row in rows_of(situation.name, situation.kinds, PLAN.backends, results):
            found = bound_of(row)
            value, low, high = map(significant, (row.estimate.value, *row.estimate.interval))
            tail = f"bound {found}" if found is not None else "no bound of its own"
            print(f"{row.key:22} {value} ({low} to {high}), wanted {row.bound}: {tail}", flush=True)
            if found is not None:
                bounds[row.key] = found
            elif row.estimate.low is not None:  # as wanted; what has no interval changes nothing
                bounds.pop(row.key, None)
        write(bounds, [f"{one.name}_{kind}" for one in SITUATIONS for kind in one.kinds])


if __name__ == "__main__":
    sys.exit(main())
