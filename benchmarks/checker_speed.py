"""How fast the placement checker is: one state with all its contacts, a batch, and a judge's step.

    python benchmarks/checker_speed.py --json runs/checker_speed.json

Every number is the least of several runs: what more the others took is the machine's other work.
`numpy_loop_us` is what a plain NumPy loop over the same stones takes for less: its distances are
those of vertices to boxes, which is not exact.
"""

import argparse
import json
import platform
import timeit
from collections.abc import Callable
from pathlib import Path

import numpy as np

from core.judge.checker import BLACK, WHITE, EpisodeJudge, PlacementChecker, Tolerances

PITCH = 0.055
BOARD_TOP = 0.75
FINGER = np.array(
    [
        [0, 0.0185, 0.011, 1, 0, 0, 0, 0.011, 0.0075, 0.010],
        [0, 0.0068, 0.0022, 1, 0, 0, 0, 0.011, 0.0044, 0.0019],
        [0, 0.0159, 0.02835, 0.9659258263, 0.2588190451, 0, 0, 0.00875, 0.0035, 0.01175],
        [0, 0.0076, 0.04525, 1, 0, 0, 0, 0.00875, 0.0076, 0.00925],
    ]
)


def puck() -> np.ndarray:
    angles = np.arange(32) * np.pi / 16
    circle = np.stack([np.cos(angles), np.sin(angles), np.zeros(32)], axis=1)
    rings = ((0.008, 0.004), (0.011, 0.002), (0.011, -0.002), (0.008, -0.004))
    return np.concatenate([radius * circle + [0, 0, z] for radius, z in rings])


def make_checker() -> PlacementChecker:
    right = FINGER * [1, -1, 1, 1, -1, 1, 1, 1, 1, 1]
    return PlacementChecker(
        board_pose=[0, 0, BOARD_TOP, 1, 0, 0, 0],
        board_half_size=[0.14, 0.14, 0.005],
        size=5,
        pitch=PITCH,
        table_pose=[0, 0, 0.715, 1, 0, 0, 0],
        table_half_size=[0.6, 0.35, 0.025],
        stone_hull=puck(),
        finger_boxes=[FINGER, right],
    )


def crowded_state(stones: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A board in play: one stone gripped, two that touch, one on top of another, four on the table."""
    cells = [((k % 5 - 2) * PITCH, (2 - k // 5) * PITCH) for k in range(25)]
    places = [(0.3 + 0.06 * k, 0.2, 0.744) for k in range(4)]
    places += [
        (*cells[0], 0.754),
        (*cells[0], 0.762),
        (*cells[1], 0.754),
        (cells[1][0] + 0.0222, cells[1][1], 0.754),
    ]
    places += [(*cells[k], 0.754) for k in range(2, 2 + stones - len(places))]
    poses = np.array([[*place, 1, 0, 0, 0] for place in places])
    gripped = poses[-1, :3]
    hand = gripped + [0, 0, 0.04525]
    fingers = np.array([[*(hand + [0, side * 0.011, 0]), 0, 0, 1, 0] for side in (1, -1)])
    return poses, np.zeros((stones, 6)), fingers


def matrix(q: np.ndarray) -> np.ndarray:
    w, x, y, z = q
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def numpy_loop(poses: np.ndarray, fingers: np.ndarray, hull: np.ndarray) -> list:
    """Nearest intersection, tilt, lowest point, neighbours and finger distances, stone by stone."""
    result = []
    shapes = (FINGER, FINGER * [1, -1, 1, 1, -1, 1, 1, 1, 1, 1])
    for pose in poses:
        R = matrix(pose[3:])
        vertices = pose[:3] + hull @ R.T
        cell = np.clip(np.round([2 - pose[1] / PITCH, 2 + pose[0] / PITCH]), 0, 4)
        tilt = np.arctan2(np.hypot(R[0, 2], R[1, 2]), abs(R[2, 2]))
        touching = np.linalg.norm(poses[:, :3] - pose[:3], axis=1) < 0.0225
        distances = []
        for finger, boxes in zip(fingers, shapes, strict=True):
            p_L = (vertices - finger[:3]) @ matrix(finger[3:])
            for box in boxes:
                p_K = (p_L - box[:3]) @ matrix(box[3:7])
                outside = np.maximum(np.abs(p_K) - box[7:], 0)
                distances.append(np.linalg.norm(outside, axis=1).min())
        result.append((cell, tilt, vertices[:, 2].min() - BOARD_TOP, touching, distances))
    return result


def seconds(call: Callable, number: int, repeats: int = 15) -> float:
    """Least time of one call."""
    call()
    return min(timeit.repeat(call, number=number, repeat=repeats)) / number


def measure_speed(checker: PlacementChecker, stones: int) -> dict[str, float]:
    state = crowded_state(stones)
    states = 1000
    batch = tuple(np.repeat(part[None], states, axis=0) for part in state)
    measures = checker.measure(*state)
    result = {
        "touching_pairs": int(measures["neighbours"].sum()) // 2,
        "call_us": 1e6 * seconds(lambda: checker.measure(*state), 1000),
        "batched_us_per_state": 1e6 * seconds(lambda: checker.measure(*batch), 2) / states,
        "numpy_loop_us": 1e6 * seconds(lambda: numpy_loop(state[0], state[2], puck()), 3),
    }
    result["times_faster_than_numpy"] = result["numpy_loop_us"] / result["call_us"]
    return result


def nearest_speed(checker: PlacementChecker, points: int = 1_000_000) -> dict[str, float]:
    rng = np.random.default_rng(0)
    positions = rng.uniform(-0.15, 0.15, size=(points, 3)) + [0, 0, BOARD_TOP]

    def loop():
        return np.clip(np.round(2 + positions[:, :2] / PITCH * [1, -1]), 0, 4).astype(np.int8)

    return {
        "batched_ns_per_pose": 1e9 * seconds(lambda: checker.nearest(positions), 1) / points,
        "numpy_vectorised_ns_per_pose": 1e9 * seconds(loop, 1) / points,
    }


def judge_speed(checker: PlacementChecker, stones: int = 12) -> dict[str, float]:
    measures = checker.measure(*crowded_state(stones))
    tool = np.array([0, 0, 0.3], np.float32)
    judge = EpisodeJudge(
        size=5,
        pitch=PITCH,
        colors=[BLACK, WHITE] * (stones // 2),
        goal_color=BLACK,
        goal_row=4,
        goal_column=4,
        tolerances=Tolerances(),
        layout=measures,
        tool_position=tool,
    )
    steps = 400
    series = (
        np.arange(steps) * 0.05,
        np.tile(tool, (steps, 1)),
        np.ones(steps, np.float32),
        np.repeat(measures[None], steps, axis=0),
    )
    return {
        "update_us": 1e6 * seconds(lambda: judge.update(1.0, tool, 1.0, measures), 1000),
        "verdict_us": 1e6 * seconds(judge.verdict, 1000),
        "to_dict_us": 1e6 * seconds(judge.verdict().to_dict, 1000),
        "rejudge_us_per_step": 1e6 * seconds(lambda: judge.rejudge(*series), 5) / steps,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="where to write the numbers")
    options = parser.parse_args()
    checker = make_checker()
    report = {
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "python": platform.python_version(),
        },
        "measure_12_stones": measure_speed(checker, 12),
        "measure_24_stones": measure_speed(checker, 24),
        "nearest": nearest_speed(checker),
        "judge_12_stones": judge_speed(checker),
    }
    for title, numbers in report.items():
        print(title)
        for name, value in numbers.items():
            print(f"  {name:32s} {value if isinstance(value, str) else format(value, '10.2f')}")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
