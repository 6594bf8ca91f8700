r"""What a perfect eye guesses without words: the colour, and the intersection, from the layout alone.

A guesser that knows the layouts' statistics is fitted on half of the seeds and scored on the other half, and
the other way round, so every seed is guessed once by a guesser that has not seen it: logistic regression over
what each candidate looks like (its row and column, the stones around it, in its row and in its column, by
colour), and over what tells the colours apart (how many there are, how near, by how much the nearest leads).
No physics, no rendering. Chance is one colour of two, and one of the intersections that could be meant: those
that are free, or of stones that are to be moved, those that are there.

    python -m benchmarks.words_blind --write docs/words_blind.md
"""

import argparse
import json
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from bomb.machine.progress import progress
from bomb.machine.provenance import cores
from bomb.pictures.gallery import levels_of
from bomb.statistics import Estimate, wilson
from core.board.boards import Board
from core.board.layout import board_of
from core.perturbations import KNOBS
from core.perturbations.base import Touches
from core.perturbations.presets import PRESETS, make_suite
from core.registry import TASKS
from core.task import Episode
from core.world.kinematics import home_position
from core.world.stage import clean_scene

SPLIT = "calibration"
BEGIN, END = "<!-- words-blind: begin -->", "<!-- words-blind: end -->"
TASK_NAMES = ("place_stone", "move_stone", "remove_stone")  # in the others the board is to tell the move
COLOR_MARGIN, GOAL_RATIO = 0.02, 1.5
STEPS, RIDGE = 8, 1e-3  # Newton's, of the guesser; what keeps its weights small


def conditions(task: str) -> list[str]:
    """Every preset and every value of every knob that moves stones; others leave layouts as they are."""
    able = TASKS.load(task)().layout_knobs
    knobs = [
        f"{name}:{level}"
        for name, knob in KNOBS.items()
        if knob.touches in (Touches.LAYOUT, Touches.OBJECTS) and (name in able or name == "distractors")
        for level in levels_of(knob)
    ]
    presets = [
        name
        for name, levels in PRESETS.items()
        if name != "clean" and all(KNOBS[n].touches is not Touches.LAYOUT or n in able for n in levels)
    ]
    return ["clean", *presets, *knobs]


def episodes(task: str, condition: str, count: int) -> list[Episode]:
    """The first episodes of the split under a condition."""
    made = TASKS.load(task)()
    suite = make_suite(None if condition == "clean" else condition)
    scene = suite.prepare(made.stage(clean_scene()))
    return [suite.episode(made, scene, split=SPLIT, seed=seed) for seed in range(count)]


def colour_features(episode: Episode) -> np.ndarray:
    """float64[F], white minus black: counts on table and board, distances of the nearest, their leads."""
    scene, state = episode.scene, episode.state
    low = state.stone_poses[:, 2] < scene.table.height + 0.8 * scene.board.thickness
    white = np.array([scene.stones[k].color == "white" for k in state.stone_ids])
    far = np.linalg.norm(state.stone_poses[:, :2] - home_position(scene.robot)[:2], axis=1)
    sides = []
    for chosen in (~white, white):
        near = np.sort(far[chosen & low])
        lead = near[1] - near[0] if len(near) > 1 else 0.1
        sides.append(
            [len(near), (chosen & ~low).sum(), near[0] if len(near) else 1.0, lead, lead < 0.02, lead >= 0.02]
        )
    return np.subtract(sides[1], sides[0]).astype(float)


def candidates(board: Board, cells: list[tuple[int, int]]) -> np.ndarray:
    """float64[K, F] of intersections: where they are, the stones around them, in their rows and columns."""
    grid = np.array(board)
    n = len(grid)
    r, c = np.array(cells).T
    padded = np.pad(
        np.stack([grid > 0, grid == 1, grid == 2, np.ones_like(grid)]).astype(float), ((0, 0), (1, 1), (1, 1))
    )
    ends = [padded[:, r + i, c + j] for i, j in ((0, 1), (2, 1), (1, 0), (1, 2))]  # above, below, left, right
    edges, (corners, *_, room) = sum(ends), sum(padded[:, r + i, c + j] for i in (0, 2) for j in (0, 2))
    taken = grid > 0
    own = taken[r, c]
    others = [taken.sum(1)[r] - own, taken.sum(0)[c] - own]
    middle, full = (n - 1) / 2, [edges[0] == edges[3], corners == room]
    return np.stack([
        *(abs(r - middle), abs(c - middle), r, c, edges[0], corners, *full, full[0] & full[1], *others),
        *(value == n - 1 for value in others), *(value == np.maximum(*others) for value in others),
        *(edges[1], edges[2], grid[r, c] == 1, grid[r, c] == 2),
    ], axis=1).astype(float)  # fmt: skip


def fit(choices: list[np.ndarray], right: list[int]) -> Callable[[np.ndarray], int]:
    """A conditional logit (Newton): of candidates float64[K, F] which was meant; returns who guesses."""
    stacked = np.concatenate(choices)
    mean, scale = stacked.mean(0), stacked.std(0) + 1e-9
    X, count = (stacked - mean) / scale, len(choices)
    owner = np.repeat(np.arange(count), [len(c) for c in choices])
    starts = np.cumsum([0, *(len(c) for c in choices[:-1])])
    hit = X[starts + np.array(right)].mean(0)
    weights, ridge = np.zeros(X.shape[1]), RIDGE * np.eye(X.shape[1])
    for _ in range(STEPS):
        score = X @ weights
        score = np.exp(score - np.maximum.reduceat(score, starts)[owner])
        share = score / np.add.reduceat(score, starts)[owner]
        expected = np.add.reduceat(share[:, None] * X, starts)
        spread = ((share[:, None] * X).T @ X - expected.T @ expected) / count
        weights += np.linalg.solve(spread + ridge, hit - expected.mean(0) - RIDGE * weights)
    return lambda features: int(np.argmax(((features - mean) / scale) @ weights))


def guessed(choices: list[np.ndarray], right: list[int]) -> Estimate:
    """How often it is guessed right, each half of the episodes by who was fitted on the other."""
    half = len(choices) // 2
    parts, hits = (slice(None, half), slice(half, None)), 0
    for learnt, asked in (parts, parts[::-1]):
        guess = fit(choices[learnt], right[learnt])
        hits += sum(guess(f) == answer for f, answer in zip(choices[asked], right[asked], strict=True))
    return wilson(hits, len(choices))


def measure(task: str, condition: str, count: int) -> dict:
    """What is guessed under a condition, and what chance is."""
    colour: tuple[list, list] = ([], [])
    goal: tuple[list, list] = ([], [])
    for episode in episodes(task, condition, count):
        board = board_of(episode.state, episode.scene)
        source = getattr(episode.goal, "source", None)
        n = len(board)
        cells = [(r, c) for r in range(n) for c in range(n)]
        if source is None:
            difference = colour_features(episode)
            colour[0].append(np.stack([np.zeros_like(difference), difference]))
            colour[1].append(int(episode.goal.color == "white"))
            wanted, open_ = (
                (episode.goal.row, episode.goal.column),
                [c for c in cells if not board[c[0]][c[1]]],
            )
        else:
            # Which stone is to go: the one that is named.
            wanted, open_ = tuple(source), [c for c in cells if board[c[0]][c[1]]]
        goal[0].append(candidates(board, open_))
        goal[1].append(open_.index(wanted))
    chance = float(np.mean([1 / len(features) for features in goal[0]]))
    found = guessed(*goal)
    result = {
        "task": task, "condition": condition, "episodes": count, "chance": chance,
        "goal": found.to_dict(), "ratio": found.value / chance,
    }  # fmt: skip
    if colour[0]:
        result["colour"] = guessed(*colour).to_dict()
    return result


def within(result: dict) -> bool:
    """Whether a condition keeps the bounds: the interval reaches into them."""
    colour = result.get("colour")
    at_chance = colour is None or colour["interval"][0] <= 0.5 + COLOR_MARGIN
    return at_chance and result["goal"]["interval"][0] <= GOAL_RATIO * result["chance"]


def table(results: list[dict]) -> str:
    """The results as a table in Markdown."""
    lines = ["| task | condition | colour (chance 50%) | intersection | chance | times chance |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for result in results:
        goal, colour = (result.get(name) for name in ("goal", "colour"))
        words = ["–" if e is None else _shown(e) for e in (colour, goal)]
        lines.append(
            f"| `{result['task']}` | `{result['condition']}` | {words[0]} | {words[1]} | "
            f"{result['chance']:.1%} | {result['ratio']:.2f} |"
        )
    return "\n".join(lines)


def _shown(estimate: dict) -> str:
    low, high = estimate["interval"]
    return f"{estimate['value']:.1%} [{low:.1%}, {high:.1%}]"


def main() -> int:
    """Measures every condition; fails if one tells more than it may."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", default=",".join(TASK_NAMES))
    parser.add_argument("--conditions", help="comma-separated; default: all of each task")
    parser.add_argument("--episodes", type=int, default=2500, help="2500: within 2 points of 50%")
    parser.add_argument("--workers", type=int, help="default: one a core")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--write", type=Path, help="page whose table is replaced")
    args = parser.parse_args()
    wanted = [
        (task, condition)
        for task in args.tasks.split(",")
        for condition in (args.conditions.split(",") if args.conditions else conditions(task))
    ]
    with ProcessPoolExecutor(args.workers or cores()) as pool:
        each = pool.map(measure, *zip(*wanted, strict=True), [args.episodes] * len(wanted))
        results = list(progress(each, total=len(wanted), unit="condition"))
    print(table(results))
    if args.json:
        args.json.write_text(json.dumps(results, indent=2) + "\n")
    if args.write:
        head, _, rest = args.write.read_text().partition(BEGIN)
        tail = rest.partition(END)[2]
        args.write.write_text(f"{head}{BEGIN}\n{table(results)}\n{END}{tail}")
    bad = [f"{r['task']} {r['condition']}" for r in results if not within(r)]
    print(f"told by the layout: {', '.join(bad) or 'nothing'}")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
