"""Whether two engines give the same reason for a failure: near misses that failed in both.

Where one engine lifts the stone and the other does not, the episodes differ and so must the reasons; so the
agreement is told for all pairs, and for those in which the engines agree about *lifted*. With ``--floor 1``
each engine is compared with itself, the path moved by N(0, 0.05 mm) along each axis: what chaos alone costs.

    python -m benchmarks.reason_agreement --n 250 --seed 0 --json reasons.json
    python -m benchmarks.reason_agreement --n 300 --seed 1000 --floor 1
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

import core
from benchmarks.timing import arguments, write
from bomb.parity.near_misses import near_miss
from bomb.parity.play import CLEAR, environment, play_script
from bomb.statistics import rate
from bomb.statistics.formats import share, share_interval

SPLIT = "parity"
BOUND = 0.95  # of the pairs in which the two agree about *lifted*
HAIR = 5e-5  # m
Pair = tuple[dict[str, Any], dict[str, Any]]


def between(seed: int) -> Pair:
    """How one script ends in each engine."""
    start, way = near_miss(SPLIT, seed)
    first, second = (
        play_script(environment(name, SPLIT, CLEAR), start, way).info for name in core.list_backends()
    )
    return first, second


def within(backend: str, seed: int) -> Pair:
    """How a script ends in one engine, and how with its path moved by a hair."""
    start, way = near_miss(SPLIT, seed)
    hair = HAIR * np.random.default_rng([seed, 77]).normal(size=3)
    moved = [replace(one, target=one.target + hair) for one in way]
    first, second = (play_script(environment(backend, SPLIT, CLEAR), start, w).info for w in (way, moved))
    return first, second


def compared(name: str, seeds: range, play: Callable[[int], Pair]) -> dict[str, Any]:
    """The agreement over the seeds of which both failed."""
    every, alike, differ = [], [], []
    reasons: Counter[str] = Counter()
    for seed, infos in _failed(seeds, play):
        first, second = (info["placement"]["reason"] for info in infos)
        reasons[first] += 1
        every.append(first == second)
        if infos[0]["stage"]["lifted"] == infos[1]["stage"]["lifted"]:
            alike.append(first == second)
        if first != second:
            differ.append([seed, first, second])
            print(f"{name}, seed {seed}: {first}, {second}")
    results = {"all": rate(every), "lifted alike": rate(alike)}
    for kind in ("all", "lifted alike"):
        one = results[kind]
        print(f"{name}, {kind}: {share(one.value, 1)} {share_interval((one.low, one.high))}, n = {one.n}")
    print(dict(reasons))
    return {"differ": differ, **{kind: estimate.to_dict() for kind, estimate in results.items()}}


def _failed(seeds: range, play: Callable[[int], Pair]) -> Iterator[tuple[int, Pair]]:
    for seed in seeds:
        infos = play(seed)
        if not any(info["success"] for info in infos):
            yield seed, infos


def main() -> int:
    args = arguments(__doc__, n=250, seed=0, floor=0)
    for name, least in (("n", 1), ("seed", 0), ("floor", 0)):
        if getattr(args, name) < least:
            raise SystemExit(
                f"reason_agreement: --{name} must be at least {least}, got {getattr(args, name)}"
            )
    seeds, names = range(args.seed, args.seed + args.n), core.list_backends()
    if args.floor:
        results = {name: compared(name, seeds, partial(within, name)) for name in names}
    else:
        results = {"between": compared(" and ".join(names), seeds, between)}
    write(results, args.json)
    shares = [one["lifted alike"]["value"] for one in results.values()]
    return 0 if all(share is not None and share >= BOUND for share in shares) else 1


if __name__ == "__main__":
    sys.exit(main())
