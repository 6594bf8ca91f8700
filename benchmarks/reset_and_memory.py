"""Start, reset and memory: the costs around the steps.

Times of start are those of fresh processes; memory is the resident set of this one.

    python -m benchmarks.reset_and_memory --json start.json
"""

import gc
import os
import subprocess
import sys
import time

import numpy as np

import core
from benchmarks.timing import arguments, reference_ms, write

BOUNDS = {
    "import_s": 0.6,
    "make_and_reset_s": 2.0,
    "reset_ms": 10.0,
    "environment_mb": 10.0,
    "growth_mb": 20.0,
    "cycles_mb": 10.0,
    "one_camera_cycles_mb": 20.0,
    "three_cameras_cycles_mb": 20.0,
}
WARM = 5  # cycles before memory is looked at
IMPORT = "import time; t = time.perf_counter(); import core; core.make_task; print(time.perf_counter() - t)"
START = (
    "import time, core; t = time.perf_counter(); "
    "core.make_task(backend={!r}, cameras=()).reset(seed=0); print(time.perf_counter() - t)"
)


def resident_mb() -> float:
    """Resident memory of this process."""
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def fresh(script: str, runs: int = 3) -> float:
    """Seconds that a script reports, the median of fresh processes after one that warms the disk's cache."""
    command = [sys.executable, "-c", script]
    times = [
        float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])
        for _ in range(runs + 1)
    ]
    return float(np.median(times[1:]))


def measure(backend: str, resets: int, steps: int) -> dict[str, float]:
    """All figures of one engine."""
    env = core.make_task(backend=backend, cameras=(), split="calibration", max_steps=10**9)
    env.reset(seed=0)
    before = resident_mb()
    others = [core.make_task(backend=backend, cameras=(), split="calibration") for _ in range(8)]
    for seed, other in enumerate(others):
        other.reset(seed=seed)
    environment_mb = (resident_mb() - before) / len(others)
    for other in others:
        other.close()
    times, before = [], resident_mb()
    for seed in range(resets):
        begin = time.perf_counter()
        env.reset(seed=seed)
        times.append(time.perf_counter() - begin)
        for _ in range(steps // resets):
            env.step(env.action_space.sample())
    growth_mb = resident_mb() - before
    env.close()
    return {
        "make_and_reset_s": fresh(START.format(backend)),
        "reset_ms": float(np.median(times)) * 1e3,
        "environment_mb": environment_mb,
        "growth_mb": growth_mb,
        "cycles_mb": cycles_mb(backend, ()),
        "one_camera_cycles_mb": cycles_mb(backend, ("head",)),
        "three_cameras_cycles_mb": cycles_mb(backend, ("head", "front", "wrist")),
    }


def cycles_mb(backend: str, cameras: tuple[str, ...], cycles: int = 60) -> float:
    """Growth over so many environments that are made, used and closed, after five that warm the caches."""

    def cycle(seed: int) -> None:
        env = core.make_task(backend=backend, cameras=cameras, image_size=(32, 32), split="calibration")
        env.reset(seed=seed)
        env.step(env.hold_action())
        env.close()

    for seed in range(WARM):
        cycle(seed)
    before = resident_mb()
    for seed in range(cycles):
        cycle(seed)
    return resident_mb() - before


def main() -> int:
    args = arguments(__doc__, resets=1000, steps=20000)
    print(f"reference loop {reference_ms():.1f} ms\n")
    results: dict[str, dict] = {"import_s": fresh(IMPORT)}
    missed = [f"import_s {results['import_s']:.2f}"] if results["import_s"] > BOUNDS["import_s"] else []
    print(f"import core: {results['import_s']:.2f} s (at most {BOUNDS['import_s']})")
    for backend in core.list_backends():
        results[backend] = measure(backend, args.resets, args.steps)
        for name, value in results[backend].items():
            print(f"{backend:10}{name:>24}{value:8.2f} (at most {BOUNDS[name]})")
            if value > BOUNDS[name]:
                missed.append(f"{backend} {name} {value:.2f}")
    write(results, args.json)
    if missed:
        print("\nmissed: " + ", ".join(missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
