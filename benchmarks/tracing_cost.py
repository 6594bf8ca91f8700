"""What it costs to look between control steps: an expert's episodes with it and without, in CPU time.

The same actions are replayed in turn with tracing and without it, several times over; states are the same
to the last bit. Time is that of the process on a CPU, the whole environment without pictures, and the cost is
the median over episodes of the ratio of their least times. Other work on the machine disturbs it little.

    python -m benchmarks.tracing_cost --n 8 --repeats 5
"""

import sys
import time
from statistics import median
from unittest.mock import patch

import numpy as np

import core
from benchmarks.timing import arguments, write
from bomb.policies.expert import Expert
from bomb.rollouts.rollout import play, replay
from core.environment import Environment
from core.judge.measuring import Measurer

SPLIT = "calibration"
BOUND = 0.03


def seconds(env: Environment, seed: int, actions: np.ndarray) -> float:
    """CPU time of a replay (s)."""
    begin = time.process_time()
    replay(env, seed, actions)
    return time.process_time() - begin


def cost(backend: str, count: int, repeats: int) -> dict:
    """The median cost, and that of each episode, as shares of the time without tracing."""
    found = []
    with core.make_task("place_stone", backend=backend, cameras=(), split=SPLIT, stop_on_success=True) as env:
        for seed in range(count):
            actions = play(env, Expert(), seed).record.actions
            least = {True: float("inf"), False: float("inf")}
            for turn in range(2 * repeats):
                traced = turn % 2 == 0
                if traced:
                    least[traced] = min(least[traced], seconds(env, seed, actions))
                else:
                    with patch.object(Measurer, "worth_tracing", lambda *_: False):
                        least[traced] = min(least[traced], seconds(env, seed, actions))
            found.append(least[True] / least[False] - 1)
    return {"median": median(found), "episodes": found}


def main() -> int:
    args = arguments(__doc__, n=8, repeats=5)
    results = {backend: cost(backend, args.n, args.repeats) for backend in core.list_backends()}
    for backend, entry in results.items():
        each = ", ".join(f"{share:+.1%}" for share in entry["episodes"])
        print(f"{backend}: {entry['median']:+.1%} of an expert's episode ({each})")
    write(results, args.json)
    return 0 if all(entry["median"] <= BOUND for entry in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
