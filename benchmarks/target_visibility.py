"""How often the robot covers the target in the ``head`` picture while the expert works.

A policy that cannot see where the stone shall go cannot be blamed for missing. Counted are the frames of
expert episodes until the carried stone is within 20 mm of the goal; a frame is clear when no pixel of the
goal's 10 mm disc (radius, the tolerance) belongs to the robot.

    python -m benchmarks.target_visibility --episodes 40 --json visibility.json
"""

import argparse
import json

import numpy as np

import core
from bomb.machine.progress import progress
from bomb.pictures.views import goal_in_world, project
from bomb.policies.expert import Expert

RADIUS = 0.010
NEAR = 0.020
ROBOT = (core.SegmentationId.ROBOT, core.SegmentationId.GRIPPER)


def clear_share(env: core.Environment, seed: int) -> tuple[int, int]:
    """(clear frames, counted frames) of one episode."""
    observation, _ = env.reset(seed=seed)
    policy = Expert()
    policy.reset(observation["instruction"], 0, episode=env.episode, action_spec=env.action_spec)
    camera = env.episode.scene.cameras[0]
    goal = goal_in_world(env.episode.scene, env.episode.goal)
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    disc = np.concatenate(
        [
            goal + r * np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
            for r in (0.0, RADIUS / 2, RADIUS)
        ]
    )
    clear = counted = 0
    over = False
    while not over:
        picture = observation["segmentation"]["head"]
        pixels = np.rint(project(camera, disc, picture.shape)).astype(int)
        colored = [
            pose[:3]
            for k, pose in zip(env.scene_state.stone_ids, env.scene_state.stone_poses, strict=True)
            if env.episode.scene.stones[k].color == env.episode.goal.color
        ]
        if min(np.hypot(*(p - goal)[:2]) for p in colored) < NEAR:
            break
        counted += 1
        clear += not np.isin(picture[pixels[:, 0], pixels[:, 1]], ROBOT).any()
        observation, _, terminated, truncated, _ = env.step(policy.act(observation, truth=env.scene_state)[0])
        over = terminated or truncated
    return clear, counted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--episodes", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--backend", default="mujoco", choices=core.list_backends())
    parser.add_argument("--json")
    args = parser.parse_args()
    env = core.make_task(
        backend=args.backend, modalities=("segmentation",), split="calibration", stop_on_success=True
    )
    shares = [clear_share(env, seed) for seed in progress(range(args.seed, args.seed + args.episodes))]
    env.close()
    clear, counted = np.sum(shares, axis=0)
    worst = min(c / n for c, n in shares)
    result = {"clear": clear / counted, "frames": int(counted), "worst_episode": worst}
    share = f"{100 * result['clear']:.1f} % of {counted} frames"
    print(f"target clear in {share}; worst episode {100 * worst:.0f} %")
    if args.json:
        with open(args.json, "w") as file:
            json.dump(result, file, indent=2)


if __name__ == "__main__":
    main()
