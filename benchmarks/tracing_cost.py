"""What it costs to look between control steps: an expert's episodes with it and without, in CPU time.

Two environments play the same actions, one with tracing and one without, control step by control step in
turn, so that whatever else the machine does meets both alike; which goes first changes every time. States are
the same to the last bit. An episode is played several times over; of each control step the least time counts,
in either environment, and an episode's cost is the ratio of the sums. No pictures.

    python -m benchmarks.tracing_cost --n 10 --repeats 9
"""

import sys
import time
from unittest.mock import patch

import numpy as np

import core
from benchmarks.timing import arguments, write
from bomb.policies.expert import Expert
from bomb.rollouts.rollout import play
from bomb.statistics import mean
from core.environment import Environment
from core.judge.measuring import Measurer

SPLIT = "calibration"
BOUND = 0.03


def never(*_: object) -> bool:
    """In place of ``Measurer.worth_tracing``."""
    return False


def seconds(env: Environment, action: np.ndarray, *, traced: bool) -> float:
    """CPU time of one control step (s)."""
    if traced:
        begin = time.process_time()
        env.advance(action)
        return time.process_time() - begin
    with patch.object(Measurer, "worth_tracing", never):
        begin = time.process_time()
        env.advance(action)
        return time.process_time() - begin


def episode(envs: list[Environment], seed: int, repeats: int) -> tuple[np.ndarray, float]:
    """The least CPU times of the control steps of one episode.

    Args:
        envs: with tracing, without.
        seed: of the episode.
        repeats: how often it is played.

    Returns:
        float64[2, T] (s), with tracing and without, and the share of control steps that are traced.
    """
    traced = 0

    def counted(*args: object) -> bool:
        nonlocal traced
        answer = bool(ask(*args))
        traced += answer
        return answer

    ask = Measurer.worth_tracing
    with patch.object(Measurer, "worth_tracing", counted):
        actions = play(envs[0], Expert(), seed).record.actions
    least = np.full((2, len(actions)), np.inf)
    for turn in range(repeats):
        for env in envs:
            env.begin(seed=seed)
        for k, action in enumerate(actions):
            for which in (0, 1) if (turn + k) % 2 else (1, 0):
                least[which, k] = min(least[which, k], seconds(envs[which], action, traced=which == 0))
    return least, traced / len(actions)


def cost(backend: str, seeds: range, repeats: int) -> dict:
    """The cost as a share of the time without tracing: over all episodes, and of each."""
    envs = [
        core.make_task("place_stone", backend=backend, cameras=(), split=SPLIT, stop_on_success=True)
        for _ in range(2)
    ]
    sums, shares = [], []
    for seed in seeds:
        least, share = episode(envs, seed, repeats)
        sums.append(least.sum(axis=1))
        shares.append(share)
    for env in envs:
        env.close()
    total = np.sum(sums, axis=0)
    each = [float(with_ / without - 1) for with_, without in sums]
    return {
        "cost": float(total[0] / total[1] - 1),
        "mean": mean(each).to_dict(),
        "episodes": each,
        "traced": float(np.mean(shares)),
        "seconds": total.tolist(),
    }


def main() -> int:
    args = arguments(__doc__, n=10, repeats=9, seed=0)
    seeds = range(args.seed, args.seed + args.n)
    results = {backend: cost(backend, seeds, args.repeats) for backend in core.list_backends()}
    for backend, entry in results.items():
        low, high = entry["mean"]["interval"] or (float("nan"), float("nan"))
        print(
            f"{backend}: {entry['cost']:+.2%} of {args.n} episodes of the expert, "
            f"mean of an episode {entry['mean']['value']:+.2%} [{low:+.2%}, {high:+.2%}]; "
            f"{entry['traced']:.0%} of control steps are traced"
        )
    write(results, args.json)
    return 0 if all(entry["cost"] <= BOUND for entry in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
