r"""Strips of pictures of failures, for somebody who judges them before seeing what the checker said.

Policies that fail in different ways are played on new seeds until each has failed often enough. A strip has
ten moments of a failure from close by, from above and from the side, heights over time, and numbers of the
end (``film_strips``); no verdict. The stored reasons go into a file of their own. Whoever judges writes a
line ``NUMBER REASON`` for each strip.

    python -m benchmarks.reason_films --out runs/films
    python -m benchmarks.reason_films --out runs/films --judged runs/films/judged.txt
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.clumsy import Clumsy
from benchmarks.film_strips import Course, Strips
from bomb.machine.progress import progress
from bomb.pictures.images import grid, write_png
from bomb.policies.making import make_policy
from bomb.rollouts.rollout import play
from bomb.statistics import wilson
from core.environment import Environment
from core.make import make_environment
from core.policy import Policy
from core.rendering.sight import Sight
from core.settings import EnvironmentSettings
from core.world.state import SceneState

SPLIT = "calibration"
MOST_STEPS = 250
A_PAGE = 3
CLUMSY = "clumsy"
# Policy, perturbations, engine, and how many seeds later it begins: where engines agree, the same seeds would
# show the same failure twice.
CASES = (
    ("noisy_expert(0.016)", None, "mujoco", 0),
    ("noisy_expert(0.016)", None, "robotwin", 0),
    (CLUMSY, None, "mujoco", 0),
    (CLUMSY, None, "robotwin", 500),
    ("feeler", {"board_pose": 3}, "mujoco", 0),
    ("feeler", {"board_pose": 3}, "robotwin", 500),
    ("keypoint", {"camera_orbit": 5, "camera_roll": 5, "camera_fov": 5}, "mujoco", 0),
)
DULL = ("never_reached",)  # needs no judge


def failures(case: tuple, count: int, seed: int) -> list[tuple[Course, dict]]:
    """The first failures from ``seed`` on, and what is stored of each."""
    words, perturbations, backend, later = case
    policy: Policy = Clumsy() if words == CLUMSY else make_policy(words)
    sight = Sight.of(policy)
    env = make_environment(
        EnvironmentSettings(
            "place_stone", backend=backend, split=SPLIT, perturbations=perturbations, stop_on_success=True,
            max_steps=MOST_STEPS, cameras=sight.cameras or (), image_size=sight.image_size or 256,
        )
    )  # fmt: skip
    found, seed = [], seed + later
    with env:
        while len(found) < count:
            states: list[SceneState] = []

            def watch(env: Environment, info: dict, states: list[SceneState] = states) -> None:
                states.append(env.scene_state)

            result = play(env, policy, seed, watch)
            placement = result.info["placement"]
            if not result.info["success"] and placement["reason"] not in DULL:
                episode = env.episode
                course = Course(
                    scene=episode.scene, goal=env.move.goal, words=episode.instruction.text, states=states,
                    openings=result.record.actions[:, 3], control_hz=env.settings.control_hz,
                )  # fmt: skip
                about = {"policy": words, "perturbations": perturbations, "backend": backend, "seed": seed}
                found.append((course, about | {name: placement[name] for name in ("reason", "reasons")}))
            seed += 1
    return found


def main() -> int:
    """Draws the strips, or compares what somebody judged with what is stored."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("runs/films"))
    parser.add_argument("--n", type=int, default=10, help="failures of each policy in each engine")
    parser.add_argument("--seed", type=int, default=20000)
    parser.add_argument("--cases", help="comma-separated numbers of the cases to draw; default: all")
    parser.add_argument("--judged", type=Path)
    args = parser.parse_args()
    stored = args.out / "stored.json"
    if args.judged:
        return compare(json.loads(stored.read_text()), args.judged.read_text())
    args.out.mkdir(parents=True, exist_ok=True)
    known = json.loads(stored.read_text()) if stored.exists() else {}
    chosen = range(len(CASES)) if args.cases is None else map(int, args.cases.split(","))
    drawing = Strips()
    for case in progress(list(chosen), unit="case"):
        strips = []
        for k, (course, about) in enumerate(failures(CASES[case], args.n, args.seed)):
            number = str(case * args.n + k)
            known[number] = about
            strips.append(drawing.draw(course, f"# {number}"))
        height = max(map(len, strips))
        strips = [
            np.pad(each, ((0, height - len(each)), (0, 0), (0, 0)), constant_values=255) for each in strips
        ]
        for page in range(0, len(strips), A_PAGE):
            shown = grid([[each] for each in strips[page:][:A_PAGE]])
            write_png(args.out / f"case{case}_{page // A_PAGE}.png", shown)
        stored.write_text(json.dumps(known, indent=1))
    drawing.close()
    return 0


def compare(stored: dict, judged: str) -> int:
    """Prints the share of strips whose stored reason is the judged one, and the others."""
    lines = [line.split() for line in judged.splitlines() if line.strip()]
    right = [stored[number]["reason"] == reason for number, reason, *_ in lines]
    for number, reason, *_ in lines:
        if stored[number]["reason"] != reason:
            print(f"# {number}: judged {reason}, stored {stored[number]}")
    share = wilson(sum(right), len(right))
    print(f"{sum(right)} of {len(right)} alike, {share.interval}")
    print(dict(Counter(about["reason"] for about in stored.values())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
