"""How fast `bomb evaluate` is beside what it evaluates: the expert, without cameras.

Two numbers of runs: episodes per second of two workers over one worker; and the harness's overhead, the share
of an episode's time that is neither environment nor policy: packing, pipes, scheduling, the store. Runs take
turns, and their time is that from the second episode's beginning to the last one's end. Two numbers of the
store: episodes per second that one writer adds, with series and without. And what a question to the policy
process costs.

    python -m benchmarks.evaluate_throughput --json throughput.json
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

import core
from benchmarks.timing import arguments, reference_ms, write
from bomb.evaluation import EvaluationSettings, ExecutionSettings, evaluate
from bomb.evaluation.workers.policy_client import PolicyClient
from bomb.evaluation.workers.policy_process import PolicyProcess
from bomb.runs.rows import EpisodeRow
from bomb.runs.store import RunStore
from core.policy import BatchPolicy, Request

SPEEDUP, OVERHEAD = 1.7, 0.05
WITH_SERIES, WITHOUT = 100.0, 1000.0  # episodes per second
ROWS = 1000


def play(backend: str, workers: int, episodes: int, folder: Path, **asked: Any) -> None:
    """A run of the expert, or of what else is ``asked`` for."""
    asked = {"policy": "expert", "split": "calibration", **asked}
    settings = EvaluationSettings(backends=(backend,), episodes=episodes, **asked)
    evaluate(settings, folder, execution=ExecutionSettings(workers=workers))


def timed(backend: str, workers: int, episodes: int, folder: Path, **asked: Any) -> tuple[float, float]:
    """Episodes per second, and the share of the workers' time that is overhead."""
    play(backend, workers, episodes, folder, **asked)
    with RunStore.open(folder) as store:
        rows = store.episodes()
    first = {min(row.started for row in rows if row.worker == worker) for worker in {r.worker for r in rows}}
    rows = [row for row in rows if row.started not in first]  # in these the engine was built, too
    begin = min(datetime.fromisoformat(row.started) for row in rows)
    end = max(datetime.fromisoformat(row.finished) for row in rows)
    seconds = (end - begin).total_seconds()
    work = sum(row.timing["sim_s"] + row.timing["render_s"] + row.timing["policy_s"] for row in rows)
    return len(rows) / seconds, 1 - work / (workers * seconds)


def runs(backend: str, episodes: int, rounds: int) -> dict:
    """Medians over rounds of the speed-up, and of the overhead of one worker."""
    ratios, overheads, speeds = [], [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            one, overhead = timed(backend, 1, episodes, Path(folder) / "one")
            two, _ = timed(backend, 2, episodes, Path(folder) / "two")
        ratios.append(two / one)
        overheads.append(overhead)
        speeds.append(one)
    return {
        "speedup": float(np.median(ratios)),
        "overhead": float(np.median(overheads)),
        "episodes_per_s": float(np.median(speeds)),
    }


class Still(BatchPolicy):
    """Answers at once."""

    def infer(self, requests: Sequence[Request]) -> list[np.ndarray]:
        return [np.zeros((1, 4), dtype=np.float32)] * len(requests)


def questions_ms(count: int = 200) -> dict[str, float]:
    """Milliseconds until the policy process has answered a worker, by the number of 256 x 256 pictures."""
    process = PolicyProcess("benchmarks.evaluate_throughput:Still", ExecutionSettings())
    client, medians = PolicyClient(process.address, 60.0, "Still"), {}
    client.reset("", 0)
    for pictures in (0, 1, 3):
        images = {str(k): np.full((256, 256, 3), k, dtype=np.uint8) for k in range(pictures)}
        observation = {"images": images, "state": np.zeros(4, dtype=np.float32)}
        times = []
        for step in range(count):
            begin = time.perf_counter()
            client.act(observation, step=step)
            times.append(time.perf_counter() - begin)
        medians[str(pictures)] = float(np.median(times)) * 1e3
    client.close()
    process.close()
    return medians


def adding(row: EpisodeRow, record: bytes | None) -> float:
    """Rows per second that a new store takes."""
    with tempfile.TemporaryDirectory() as folder, RunStore.create(Path(folder), {}) as store:
        rows = [replace(row, seed=seed) for seed in range(ROWS)]
        begin = time.perf_counter()
        for one in rows:
            store.add(one, record)
        return ROWS / (time.perf_counter() - begin)


def store_rates(rounds: int) -> dict[str, float]:
    """Of a real episode of the expert."""
    with tempfile.TemporaryDirectory() as folder:
        backend = core.list_backends()[0]
        play(backend, 1, 1, Path(folder) / "run")
        with RunStore.open(Path(folder) / "run") as store:
            (row,) = store.episodes()
            record = store.record(row.condition, row.seed).to_bytes()
    return {
        "with_series": float(np.median([adding(row, record) for _ in range(rounds)])),
        "without": float(np.median([adding(row, None) for _ in range(rounds)])),
    }


def main() -> int:
    args = arguments(__doc__, episodes=100, rounds=3)
    results: dict = {"runs": {}}
    print(f"reference loop {reference_ms():.1f} ms\n")
    print(f"{'':10}{'episodes/s':>12}{'two workers':>14}{'overhead':>10}")
    for backend in core.list_backends():
        one = results["runs"][backend] = runs(backend, args.episodes, args.rounds)
        print(
            f"{backend:10}{one['episodes_per_s']:12.1f}{one['speedup']:13.2f}x{one['overhead']:10.1%}",
            flush=True,
        )
    results["question_ms"] = asked = questions_ms()
    words = ", ".join(f"{ms:.2f} ms with {n}" for n, ms in asked.items())
    print(f"a question to the policy process, by pictures: {words}")
    results["store"] = store = store_rates(args.rounds)
    print(f"store: {store['with_series']:.0f} episodes/s with series, {store['without']:.0f} without")
    write(results, args.json)
    missed = [
        *(f"{b}: speed-up {r['speedup']:.2f}" for b, r in results["runs"].items() if r["speedup"] < SPEEDUP),
        *(
            f"{b}: overhead {r['overhead']:.1%}"
            for b, r in results["runs"].items()
            if r["overhead"] > OVERHEAD
        ),
        *(
            f"store {name}: {store[name]:.0f}/s"
            for name, bound in (("with_series", WITH_SERIES), ("without", WITHOUT))
            if store[name] < bound
        ),
    ]
    if missed:
        print(f"\nmissed: {'; '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
