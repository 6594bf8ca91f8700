"""Steps a second with one 256 x 256 camera, for every engine that moves and every engine that draws.

All pairs take turns in one process, so noise hits all alike; the ratio is to the engine's own renderer.
Time is that of the processor, all threads of this process together: another program's load does not count.

    python -m benchmarks.renderers --rounds 20 --json renderers.json
"""

import sys
import time

import numpy as np

import core
from benchmarks.timing import arguments, reference_ms, write


def main() -> int:
    args = arguments(__doc__, rounds=20)
    backends = core.list_backends()
    envs = {
        (backend, renderer): core.make_task(
            "place_stone", backend=backend, renderer=renderer, split="calibration", max_steps=10**6
        )
        for backend in backends
        for renderer in backends
    }
    times: dict[tuple[str, str], list[float]] = {pair: [] for pair in envs}
    rng = np.random.default_rng(0)
    for env in envs.values():
        env.reset(seed=1)
    for _ in range(args.rounds + 1):
        action = rng.uniform([-0.5, -0.5, -0.5, 0], [0.5, 0.5, 0.5, 1])
        for pair, env in envs.items():
            begin = time.process_time()
            env.step(action)
            times[pair].append(time.process_time() - begin)
    print(f"reference loop {reference_ms():.1f} ms\n")
    print(f"{'moves':10}{'draws':10}{'CPU ms/step':>12}{'ratio':>8}")
    results = {}
    for (backend, renderer), seconds in times.items():
        own = np.array(times[backend, backend][1:])
        spent = np.array(seconds[1:])
        median, ratio = float(np.median(spent) * 1e3), float(np.median(own / spent))
        results[f"{backend} drawn by {renderer}"] = {"cpu_ms": median, "speedup": ratio}
        print(f"{backend:10}{renderer:10}{median:12.1f}{ratio:8.2f}")
    for env in envs.values():
        env.close()
    write({"rounds": args.rounds, "renderers": results}, args.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
