"""What a perturbed reset costs over a clean one, without cameras: every knob at its strongest.

python -m benchmarks.perturbed_reset --json resets.json
"""

import sys
import time

import numpy as np

import core
from benchmarks.timing import arguments, reference_ms, write
from bomb.pictures.gallery import levels_of
from core.perturbations import KNOBS

BOUND = 2.0


def cost(env: core.Environment, seeds: int, repeats: int) -> float:
    """Processor milliseconds of a reset: over the same seeds, the least of several each."""
    times = np.full((repeats, seeds), np.inf)
    for repeat in range(repeats):
        for seed in range(seeds):
            begin = time.process_time()
            env.reset(seed=seed)
            times[repeat, seed] = time.process_time() - begin
    return float(times.min(axis=0).mean() * 1e3)


def main() -> int:
    args = arguments(__doc__, seeds=10, repeats=7)
    print(f"reference loop {reference_ms():.1f} ms\n")
    results: dict[str, dict[str, float]] = {}
    for backend in core.list_backends():
        clean = core.make_task(backend=backend, cameras=(), split="calibration")
        cost(clean, args.seeds, 2)
        base = cost(clean, args.seeds, args.repeats)
        ratios = {}
        for knob, perturbation in KNOBS.items():
            strongest = {knob: levels_of(perturbation)[-1]}
            env = core.make_task(backend=backend, cameras=(), split="calibration", perturbations=strongest)
            cost(env, args.seeds, 2)
            ratios[knob] = cost(env, args.seeds, args.repeats) / base
            env.close()
        clean.close()
        results[backend] = ratios
        worst = sorted(ratios.items(), key=lambda item: -item[1])[:5]
        print(
            f"{backend}: clean {base:.2f} ms; " + ", ".join(f"{knob} {ratio:.2f}x" for knob, ratio in worst)
        )
    write({"ratios": results, "bound": BOUND}, args.json)
    return 1 if max(max(ratios.values()) for ratios in results.values()) > BOUND else 0


if __name__ == "__main__":
    sys.exit(main())
