"""Steps a second beside other benchmarks, in one run on one machine.

Give the interpreters of environments in which others are installed; whichever of robosuite (Lift, Panda),
gymnasium-robotics (FetchPickAndPlace) and ManiSkill (PickCube) can be imported there plays a loop of random
actions at half speed, without a camera and with one of 256 x 256. A step is 50 ms of the world, 40 ms in
gymnasium-robotics. All take turns in every round; medians are printed. Nothing of theirs is a dependency of
BOMB.

    python -m benchmarks.peers envs/robosuite/bin/python envs/fetch/bin/python --steps 60 --rounds 3
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import core
from benchmarks.timing import write

# What runs in another's environment and prints one JSON object.
_LOOP = """
import json, sys, time
import numpy as np

steps, name, camera = int(sys.argv[1]), sys.argv[2], sys.argv[3] == "camera"

def robosuite():
    import robosuite
    env = robosuite.make(
        "Lift", robots="Panda", has_renderer=False, has_offscreen_renderer=camera, use_camera_obs=camera,
        camera_names="agentview", camera_heights=256, camera_widths=256, ignore_done=True, control_freq=20,
    )
    env.reset()
    low, high = env.action_spec
    return env.step, low, high

def fetch():
    import gymnasium, gymnasium_robotics
    gymnasium.register_envs(gymnasium_robotics)
    kind = {"render_mode": "rgb_array", "width": 256, "height": 256} if camera else {}
    env = gymnasium.make("FetchPickAndPlace-v4", max_episode_steps=10**6, **kind)
    env.reset(seed=0)
    def step(action):
        env.step(action)
        if camera:
            env.render()
    return step, env.action_space.low, env.action_space.high

def maniskill():
    import gymnasium, mani_skill.envs
    kind = {"obs_mode": "state"}
    if camera:
        kind = {"obs_mode": "rgb", "sensor_configs": {"width": 256, "height": 256}}
    env = gymnasium.make("PickCube-v1", max_episode_steps=10**6, **kind)
    env.reset(seed=0)
    return env.step, env.action_space.low, env.action_space.high

step, low, high = {"robosuite": robosuite, "gymnasium_robotics": fetch, "mani_skill": maniskill}[name]()
rng = np.random.default_rng(0)
for _ in range(3):
    step(rng.uniform(low / 2, high / 2))
wall, cpu = time.perf_counter(), time.process_time()
for _ in range(steps):
    step(rng.uniform(low / 2, high / 2))
print(json.dumps({
    "steps_per_s": steps / (time.perf_counter() - wall), "cpu_ms": (time.process_time() - cpu) / steps * 1e3,
}))
"""
_PEERS = ("robosuite", "gymnasium_robotics", "mani_skill")


def ours(backend: str, steps: int, *, camera: bool) -> dict[str, float]:
    """Steps a second of wall time, and milliseconds of all threads for one."""
    cameras = ("head",) if camera else ()
    env = core.make_task(backend=backend, cameras=cameras, split="calibration", max_steps=10**6)
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    low, high = [-0.5, -0.5, -0.5, 0.0], [0.5, 0.5, 0.5, 1.0]
    for _ in range(3):
        env.step(rng.uniform(low, high))
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(steps):
        env.step(rng.uniform(low, high))
    spent = time.process_time() - cpu
    found = {"steps_per_s": steps / (time.perf_counter() - wall), "cpu_ms": spent / steps * 1e3}
    env.close()
    return found


def importable(python: Path) -> list[str]:
    """Which peers an interpreter has."""
    code = f"import importlib.util as u; print(*[n for n in {_PEERS!r} if u.find_spec(n)])"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.split()


def peer(python: Path, name: str, steps: int, *, camera: bool) -> dict[str, float] | str:
    """As ``ours``, of another benchmark in its own process; or the last line of what went wrong."""
    asked = [str(steps), name, "camera" if camera else "blind"]
    environment = {"MUJOCO_GL": "egl", **os.environ}
    done = subprocess.run([python, "-c", _LOOP, *asked], env=environment, capture_output=True, text=True)
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["no message"])[-1]
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "python", nargs="*", type=Path, help="interpreters of environments with other benchmarks"
    )
    parser.add_argument("--steps", type=int, default=60, help="default 60")
    parser.add_argument("--rounds", type=int, default=1, help="default 1")
    parser.add_argument("--json", type=Path, help="file for the results")
    args = parser.parse_args()
    results: dict[str, dict[str, float] | str] = {}
    print(f"{'':44}{'steps/s':>9}{'CPU ms/step':>13}")
    calls: dict[str, tuple[Path | None, str]] = {
        f"BOMB, {backend}": (None, backend) for backend in core.list_backends()
    }
    calls |= {name: (python, name) for python in args.python for name in importable(python)}
    for camera in (False, True):
        setting = "256 x 256 camera" if camera else "no camera"
        rounds = [
            {label: step(*call, args.steps, camera=camera) for label, call in calls.items()}
            for _ in range(args.rounds)
        ]
        for label in calls:
            name = f"{label}, {setting}"
            results[name] = found = medians([one[label] for one in rounds])
            if isinstance(found, str):
                print(f"{name:44} does not run: {found}")
            else:
                print(f"{name:44}{found['steps_per_s']:9.1f}{found['cpu_ms']:13.2f}", flush=True)
    write({"steps": args.steps, "rounds": args.rounds, "peers": results}, args.json)
    return 0


def step(python: Path | None, name: str, steps: int, *, camera: bool) -> dict[str, float] | str:
    """Of an engine of ours, where no interpreter is named, or of another benchmark."""
    return ours(name, steps, camera=camera) if python is None else peer(python, name, steps, camera=camera)


def medians(found: list[dict[str, float] | str]) -> dict[str, float] | str:
    """Of each number over rounds; the first of what went wrong if something did."""
    for one in found:
        if isinstance(one, str):
            return one
    numbers = [one for one in found if not isinstance(one, str)]
    return {key: float(np.median([one[key] for one in numbers])) for key in numbers[0]}


if __name__ == "__main__":
    sys.exit(main())
