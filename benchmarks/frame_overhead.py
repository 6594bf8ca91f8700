"""What a picture costs: a 256x256 frame through ``env.step`` over the bare renderer's own.

Bare is the engine's own drawing of the same scene from the same camera, with the settings policies get. The
arm is held still, so that both draw the same state; a step without cameras is taken off.

    python -m benchmarks.frame_overhead --json frames.json
"""

import sys
from dataclasses import replace

import numpy as np

import core
from benchmarks.timing import arguments, interleaved, reference_ms, within, write
from core.environment import Environment
from core.registry import BACKENDS, TASKS
from core.settings import DEFAULT_SUPERSAMPLE
from core.world.stage import clean_scene

BOUND = 1.10


def environment(backend: str, cameras: tuple[str, ...], *, shadows: bool, supersample: int) -> Environment:
    """As ``core.make_task`` makes it, but with lights that cast no shadows unless asked to."""
    scene = clean_scene(cameras)
    lights = tuple(replace(light, cast_shadow=light.cast_shadow and shadows) for light in scene.lights)
    return Environment(
        TASKS.load("place_stone")(),
        BACKENDS.load(backend)(),
        replace(scene, lights=lights),
        settings=core.EnvironmentSettings(
            backend=backend, cameras=cameras, split="calibration", max_steps=10**6, supersample=supersample
        ),
    )


def measure(backend: str, rounds: int, *, shadows: bool, supersample: int) -> dict[str, float]:
    """Milliseconds and ratio for one engine and setting."""
    env = environment(backend, ("head",), shadows=shadows, supersample=supersample)
    blind = environment(backend, (), shadows=shadows, supersample=supersample)
    env.reset(seed=1), blind.reset(seed=1)
    hold = env.hold_action()
    calls = {
        "env": lambda: env.step(hold),
        "blind": lambda: blind.step(hold),
        "bare": lambda: env.debug.backend.render("head", ("rgb",)),
    }
    times = {name: np.median(seconds) * 1e3 for name, seconds in interleaved(calls, rounds).items()}
    env.close(), blind.close()
    ratio = (times["env"] - times["blind"]) / times["bare"]
    return {"ratio": ratio, "frame_ms": times["bare"], "steps_per_s": 1e3 / times["env"]}


def main() -> int:
    args = arguments(__doc__, rounds=30)
    results: dict[str, dict] = {"overhead": {}, "settings": {}}
    print(f"reference loop {reference_ms():.1f} ms\n")
    print(f"{'':10}{'shadows':>9}{'supersample':>13}{'frame ms':>10}{'steps/s':>9}{'ratio':>7}")
    for backend in core.list_backends():
        for shadows in (True, False):
            for supersample in (1, 2):
                found = measure(backend, args.rounds, shadows=shadows, supersample=supersample)
                name = f"{backend}, shadows {'on' if shadows else 'off'}, supersample {supersample}"
                results["settings"][name] = found
                if shadows and supersample == DEFAULT_SUPERSAMPLE:
                    results["overhead"][backend] = found["ratio"]
                print(
                    f"{backend:10}{'on' if shadows else 'off':>9}{supersample:13}{found['frame_ms']:10.1f}"
                    f"{found['steps_per_s']:9.1f}{found['ratio']:7.2f}"
                )
    write(results, args.json)
    return within("overhead", results["overhead"], BOUND)


if __name__ == "__main__":
    sys.exit(main())
