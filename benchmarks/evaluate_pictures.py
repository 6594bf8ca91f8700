"""What two workers of `bomb evaluate` reach over one when the policy looks at every step.

A renderer in software uses several cores for one picture, so one worker alone is given all of them, and two
workers one each. Both are measured, and a worker that is given one core only: of that, two should make nearly
twice. Runs take turns; their time is that from the second episode's beginning to the last one's end.

    python -m benchmarks.evaluate_pictures --episodes 8 --rounds 3 --json -
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import core
from benchmarks.evaluate_throughput import timed
from benchmarks.timing import arguments, write
from core.policy import Policy

SPEEDUP = 1.7
STEPS = 25  # of each episode
RUNS = {"one worker, one core": (1, "1"), "one worker, all cores": (1, None), "two workers": (2, None)}


class Onlooker(Policy):
    """Looks through the head camera at every step and stays where it is."""

    cameras = ("head",)

    def reset(self, instruction: str, seed: int) -> None:
        """Remembers nothing."""

    def act(self, observation: dict[str, Any]) -> npt.NDArray[np.float32]:
        return np.zeros((1, 4), dtype=np.float32)


def pictures_per_s(backend: str, workers: int, threads: str | None, episodes: int) -> tuple[float, float]:
    """Also the share of the workers' time that is neither environment nor policy."""
    before = os.environ.pop("LP_NUM_THREADS", None)
    if threads is not None:
        os.environ["LP_NUM_THREADS"] = threads  # workers take over what is set
    try:
        with tempfile.TemporaryDirectory() as folder:
            policy = {"policy": "benchmarks.evaluate_pictures:Onlooker", "max_steps": STEPS}
            rate, overhead = timed(backend, workers, episodes, Path(folder) / "run", **policy)
    finally:
        os.environ.pop("LP_NUM_THREADS", None)
        if before is not None:
            os.environ["LP_NUM_THREADS"] = before
    return rate * (STEPS + 1), overhead


def main() -> int:
    args = arguments(__doc__, episodes=8, rounds=3)
    results: dict[str, dict[str, float]] = {}
    print(f"{'':44}{'pictures/s':>12}{'two workers over it':>22}")
    for backend in core.list_backends():
        rates: dict[str, list[float]] = {name: [] for name in RUNS}
        shares: list[float] = []
        for _ in range(args.rounds):
            for name, (workers, threads) in RUNS.items():
                rate, overhead = pictures_per_s(backend, workers, threads, args.episodes * workers)
                rates[name].append(rate)
                if workers == 2:
                    shares.append(overhead)
        two = np.array(rates["two workers"])
        for name, found in rates.items():
            ratio = float(np.median(two / np.array(found)))
            results[f"{backend}, {name}"] = {"pictures_per_s": float(np.median(found)), "two_over_it": ratio}
            print(f"{backend + ', ' + name:44}{np.median(found):12.1f}{ratio:21.2f}x", flush=True)
        print(f"{'':12}overhead of two workers {np.median(shares):.1%}")
    write({"episodes": args.episodes, "rounds": args.rounds, "evaluate_pictures": results}, args.json)
    missed = [k for k, r in results.items() if "one core" in k and r["two_over_it"] < SPEEDUP]
    if missed:
        print(f"\nmissed: {'; '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
