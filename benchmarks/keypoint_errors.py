"""How far the policies that come with BOMB are off while they play (mm): at stone and goal, first and last.

python -m benchmarks.keypoint_errors --episodes 20 --json keypoint_errors.json
python -m benchmarks.keypoint_errors --policy small-vla --episodes 20
"""

import argparse
import json
from pathlib import Path

import numpy as np

import core
from bomb.models.keypoint.format import CAMERAS, IMAGE_SIZE
from bomb.models.keypoint.policy import KeypointPolicy
from bomb.pictures.views import goal_in_world
from bomb.policies.making import make_policy
from bomb.rollouts.rollout import play
from core.environment import Environment
from core.policy import Policy
from core.rendering.pinhole import inverse
from core.world.rotations import matrix_from_quaternion

SPLIT = "calibration"  # `test` is for reports
CONDITIONS = {"clean": None, "bomb:3+board_pose:3": ("bomb:3", "board_pose:3")}
PLACES = ("goal, first look", "goal, before it lets go", "stone, first look", "stone, before it grasps")


class Watched(Policy):
    """A policy, compared with the truth after every look; the truth does not reach it."""

    cameras, image_size, wants_action_spec, wants_step = CAMERAS, IMAGE_SIZE, True, True

    def __init__(self, env: Environment, name: str):
        self._env, self._inside = env, make_policy(name)

    def reset(self, instruction: str, seed: int, **extras: object) -> None:
        """As the policy inside; nothing was seen yet."""
        extras = extras if self._inside.wants_action_spec else {}
        self._inside.reset(instruction, seed, **extras)
        self.errors: dict[str, float] = {}

    def act(self, observation: dict, *, step: int) -> np.ndarray:
        """As the policy inside."""
        chunk = self._inside.act(observation, **({"step": step} if self._inside.wants_step else {}))
        scene = self._env.episode.scene
        X_WR = np.eye(4)
        X_WR[:3, :3], X_WR[:3, 3] = matrix_from_quaternion(scene.robot.X_WR.q), scene.robot.X_WR.p
        X_RW = inverse(X_WR)
        goal, stone, held = self._believed()
        if goal is not None:
            true = (X_RW[:3, :3] @ goal_in_world(scene, self._env.move.goal) + X_RW[:3, 3])[:2]
            self._add("goal", "before it lets go" if held else None, goal - true)
        if stone is not None and not held:
            stones = self._env.scene_state.stone_poses[:, :3] @ X_RW[:3, :3].T + X_RW[:3, 3]
            away = stones[:, :2] - stone
            self._add("stone", "before it grasps", away[np.linalg.norm(away, axis=1).argmin()])
        return chunk

    def _believed(self) -> tuple[np.ndarray | None, np.ndarray | None, bool]:
        """Goal and stone (m; None: not known, or no longer looked for), and whether a stone is held."""
        inside = self._inside
        if isinstance(inside, KeypointPolicy):
            if inside.gripper.released:
                return None, None, False
            goal, stone = inside.belief.goal(inside.reading), inside.belief.stone
            return goal and goal.place, stone and stone.place, inside.gripper.holds
        if inside.said["released"]:
            return None, None, False
        return inside.said["goal"], inside.said["stone"], bool(inside.said["holds"])

    def _add(self, what: str, last: str | None, off: np.ndarray) -> None:
        distance = 1000 * float(np.linalg.norm(off))
        self.errors.setdefault(f"{what}, first look", distance)
        if last is not None:
            self.errors[f"{what}, {last}"] = distance

    def close(self) -> None:
        """Closes the policy inside."""
        self._inside.close()


def measure(name: str, backend: str, condition: str, episodes: int) -> dict:
    """Medians and 90th percentiles (mm), and successes."""
    with core.make_task(
        backend=backend, cameras=CAMERAS, image_size=IMAGE_SIZE, split=SPLIT, max_steps=200,
        perturbations=CONDITIONS[condition],
    ) as env:  # fmt: skip
        policy = Watched(env, name)
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
    parser.add_argument("--policy", default="keypoint", help="keypoint or small-vla, or small-vla('DIR')")
    parser.add_argument("--backend", default=",".join(core.list_backends()))
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    results = {}
    for backend in args.backend.split(","):
        for condition in CONDITIONS:
            results[f"{backend}/{condition}"] = made = measure(args.policy, backend, condition, args.episodes)
            print(f"{backend:9} {condition:20} {json.dumps(made)}", flush=True)
    if args.json is not None:
        args.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
