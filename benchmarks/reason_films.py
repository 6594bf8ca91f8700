r"""Strips of pictures of failures, for somebody who judges them before seeing what the checker said.

Three policies that fail in different ways are played on new seeds until each has failed often enough. Of each
failure eight moments are drawn, around the hand from above and as the hand sees it, with the words and a ring
around the target; the stored reasons go into a file of their own. Whoever judges writes a line
``NUMBER REASON`` for each strip.

    python -m benchmarks.reason_films --out runs/films
    python -m benchmarks.reason_films --out runs/films --judged runs/films/judged.txt
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from bomb.machine.progress import progress
from bomb.pictures.images import captioned, grid, write_png
from bomb.pictures.views import goal_in_world, project, ringed
from bomb.policies.making import make_policy
from bomb.rollouts.rollout import play, replay
from bomb.statistics import wilson
from core.environment import Environment
from core.make import make_environment
from core.settings import EnvironmentSettings
from core.world.kinematics import Kinematics
from core.world.state import ARM_JOINTS

SPLIT = "ci"
CAMERAS, PIXELS, CLOSE, MOMENTS, A_PAGE = ("head", "wrist"), 240, 160, 8, 4
MOST_STEPS = 250
CASES = (  # policy, perturbations, engine
    ("noisy_expert(0.014)", None, "mujoco"),
    ("noisy_expert(0.014)", None, "robotwin"),
    ("feeler", "board_pose:2", "mujoco"),
    ("feeler", "board_pose:2", "robotwin"),
    ("push", "action_noise:5", "mujoco"),
    ("push", "action_noise:5", "robotwin"),
)


def moments(openings: np.ndarray) -> list[int]:
    """Steps to draw, out of actions: around each closing and opening of the gripper, else evenly spaced."""
    last = len(openings)
    flips = 1 + np.flatnonzero(np.diff(openings > 0.3))
    near = [int(k) + d for k in flips for d in (-1, 10)]
    chosen = {0, last, *(k for k in near[-(MOMENTS - 2) :] if 0 < k < last)}
    for k in np.linspace(0, last, 40).round().astype(int).tolist():
        if len(chosen) >= MOMENTS:
            break
        if min(abs(k - other) for other in chosen) > last / (2 * MOMENTS):
            chosen.add(k)
    return sorted(chosen)


def strip(env: Environment, seed: int, actions: np.ndarray) -> np.ndarray:
    """Both cameras' pictures of the moments of an episode, uint8[H, W, 3]."""
    wanted, step = moments(actions[:, 3]), -1
    rows: dict[str, list[np.ndarray]] = {camera: [] for camera in CAMERAS}

    def watch(env: Environment, info: dict) -> None:
        nonlocal step
        step += 1
        if step not in wanted:
            return
        scene = env.episode.scene
        head = next(spec for spec in scene.cameras if spec.name == "head")
        # Around the hand; at the end around the target, if that is far.
        at = goal_in_world(scene, env.move.goal) if step == wanted[-1] else hand(env)
        middle = project(head, np.array([at]), (PIXELS, PIXELS))[0]
        corner = np.clip(np.rint(middle - CLOSE / 2), 0, PIXELS - CLOSE).astype(int)
        frame = ringed(env, "head", env.render_camera("head").rgb)
        frame = frame[corner[0] :, corner[1] :][:CLOSE, :CLOSE]
        rows["head"].append(captioned(frame, f"step {step}", above=True))
        edge = (PIXELS - CLOSE) // 2
        frame = env.render_camera("wrist").rgb[edge:, edge:][:CLOSE, :CLOSE]
        rows["wrist"].append(captioned(frame, f"opening {env.observe()['state'][3]:.2f}", above=True))

    replay(env, seed, actions, watch)
    blank = np.full_like(rows["head"][0], 235)
    return grid([[*row, *[blank] * MOMENTS][:MOMENTS] for row in rows.values()])


def hand(env: Environment) -> np.ndarray:
    """The tool centre point, float64[3] in W (m)."""
    robot = env.episode.scene.robot
    p_WT, _ = Kinematics(robot).tool_pose(env.scene_state.joint_positions[:ARM_JOINTS].astype(np.float64))
    return p_WT


def failures(case: tuple, count: int, seed: int) -> list[tuple[np.ndarray, dict]]:
    """Strips of the first failures from ``seed`` on, and what is stored of each."""
    words, perturbations, backend = case
    env = make_environment(
        EnvironmentSettings(
            "place_stone", backend=backend, split=SPLIT, perturbations=perturbations, cameras=CAMERAS,
            image_size=(PIXELS, PIXELS), modalities=(), renderer="mujoco", stop_on_success=True,
            max_steps=MOST_STEPS,
        )
    )  # fmt: skip
    found, policy = [], make_policy(words)
    with env:
        while len(found) < count:
            result = play(env, policy, seed)
            if not result.info["success"] and result.info["placement"]["reason"] not in ("never_reached",):
                text = env.episode.instruction.text
                about = {"policy": words, "perturbations": perturbations, "backend": backend, "seed": seed,
                         "words": text,
                         "reason": result.info["placement"]["reason"],
                         "reasons": result.info["placement"]["reasons"]}  # fmt: skip
                found.append((strip(env, seed, result.record.actions), about))
            seed += 1
    return found


def titled(picture: np.ndarray, words: str) -> np.ndarray:
    """A strip under its words, in letters of the size of its pictures'."""
    line = captioned(np.full((1, 700, 3), 250, np.uint8), words)[1:]
    full = np.full((len(line), picture.shape[1], 3), 250, np.uint8)
    full[:, : line.shape[1]] = line[:, : full.shape[1]]
    return np.concatenate([full, picture])


def main() -> int:
    """Draws the strips, or compares what somebody judged with what is stored."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("runs/films"))
    parser.add_argument("--n", type=int, default=10, help="failures of each policy in each engine")
    parser.add_argument("--seed", type=int, default=9000)
    parser.add_argument("--cases", help="comma-separated numbers of the cases to draw; default: all")
    parser.add_argument("--judged", type=Path)
    args = parser.parse_args()
    stored = args.out / "stored.json"
    if args.judged:
        return compare(json.loads(stored.read_text()), args.judged.read_text())
    args.out.mkdir(parents=True, exist_ok=True)
    known = json.loads(stored.read_text()) if stored.exists() else {}
    chosen = range(len(CASES)) if args.cases is None else map(int, args.cases.split(","))
    for case in progress(list(chosen), unit="case"):
        strips = []
        for k, (picture, about) in enumerate(failures(CASES[case], args.n, args.seed)):
            number = str(case * args.n + k)
            known[number] = about
            strips.append(titled(picture, f"# {number}: {about['words']}"))
        for page in range(0, len(strips), A_PAGE):
            shown = grid([[each] for each in strips[page:][:A_PAGE]])
            write_png(args.out / f"case{case}_{page // A_PAGE}.png", shown)
        stored.write_text(json.dumps(known, indent=1))
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
