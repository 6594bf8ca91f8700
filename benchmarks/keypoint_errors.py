"""How far `keypoint` is off while it plays (mm): at the stone and at the goal, at first sight and at last.

python -m benchmarks.keypoint_errors --episodes 20 --json keypoint_errors.json
"""

import argparse
import json
from pathlib import Path

import numpy as np

import core
from bomb.models.keypoint.format import CAMERAS, IMAGE_SIZE
from bomb.models.keypoint.policy import KeypointPolicy
from bomb.pictures.views import goal_in_world
from bomb.rollouts.rollout import play
from core.environment import Environment
from core.policy import Policy
from core.rendering.pinhole import inverse
from core.world.rotations import matrix_from_quaternion

SPLIT = "calibration"  # `test` is for reports
CONDITIONS = {"clean": None, "bomb:3+board_pose:3": ("bomb:3", "board_pose:3")}
PLACES = ("goal, first look", "goal, before it lets go", "stone, first look", "stone, before it grasps")


class Watched(Policy):
    """`keypoint`, compared with the truth after every look; the truth does not reach it."""

    cameras, image_size, wants_action_spec = CAMERAS, IMAGE_SIZE, True

    def __init__(self, env: Environment):
        self._env, self._inside = env, KeypointPolicy()

    def reset(self, instruction: str, seed: int, **extras: object) -> None:
        """As the policy inside; nothing was seen yet."""
        self._inside.reset(instruction, seed, **extras)
        self.errors: dict[str, float] = {}

    def act(self, observation: dict) -> np.ndarray:
        """As the policy inside."""
        held = self._inside.gripper.holds
        chunk, scene = self._inside.act(observation), self._env.episode.scene
        X_WR = np.eye(4)
        X_WR[:3, :3], X_WR[:3, 3] = matrix_from_quaternion(scene.robot.X_WR.q), scene.robot.X_WR.p
        X_RW = inverse(X_WR)
        belief, reading = self._inside.belief, self._inside.reading
        goal = belief.goal(reading)
        if goal is not None and not self._inside.gripper.released:
            true = (X_RW[:3, :3] @ goal_in_world(scene, self._env.move.goal) + X_RW[:3, 3])[:2]
            self._add("goal", "before it lets go" if held else None, goal.place - true)
        if belief.stone is not None and not held and not self._inside.gripper.released:
            stones = self._env.scene_state.stone_poses[:, :3] @ X_RW[:3, :3].T + X_RW[:3, 3]
            away = stones[:, :2] - belief.stone.place
            self._add("stone", "before it grasps", away[np.linalg.norm(away, axis=1).argmin()])
        return chunk

    def _add(self, what: str, last: str | None, off: np.ndarray) -> None:
        distance = 1000 * float(np.linalg.norm(off))
        self.errors.setdefault(f"{what}, first look", distance)
        if last is not None:
            self.errors[f"{what}, {last}"] = distance

    def close(self) -> None:
        """Closes the policy inside."""
        self._inside.close()


def measure(backend: str, condition: str, episodes: int) -> dict:
    """Medians and 90th percentiles (mm), and successes."""
    with core.make_task(
        backend=backend, cameras=CAMERAS, image_size=IMAGE_SIZE, split=SPLIT, max_steps=200,
        perturbations=CONDITIONS[condition],
    ) as env:  # fmt: skip
        policy = Watched(env)
        found: dict[str, list[float]] = {place: [] for place in PLACES}
        successes = 0
        for seed in range(episodes):
            successes += bool(play(env, policy, seed).info["success"])
            for place in found:
                found[place] += [policy.errors[place]] if place in policy.errors else []
        policy.close()
    made: dict = {"episodes": episodes, "successes": successes}
    for place, values in found.items():
        if values:
            made[place] = {f"p{p}": round(float(np.percentile(values, p)), 2) for p in (50, 90)}
    return made


def main() -> None:
    """Measures every condition in every simulator."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=20)
    parser.add_argument("--backend", default=",".join(core.list_backends()))
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    results = {}
    for backend in args.backend.split(","):
        for condition in CONDITIONS:
            results[f"{backend}/{condition}"] = made = measure(backend, condition, args.episodes)
            print(f"{backend:9} {condition:20} {json.dumps(made)}", flush=True)
    if args.json is not None:
        args.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
