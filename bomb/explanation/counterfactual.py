"""Other words about the same picture: does the action follow them?

The coordinates of the sentence are swapped for another intersection, and the end point of the chunk is looked
at. g = <d, p_new - p_old> / |p_new - p_old|^2, with d the change of the end point in the plane: 1 follows the
words, 0 ignores them. A chunk reaches no farther than the arm moves in it, so ``reachable`` stands beside g:
the same quotient by the change of the end point of a tool that heads straight for each place at full speed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.explanation.asking import Asker, Change, Question
from bomb.explanation.spans import reworded
from bomb.pictures.views import goal_in_world
from bomb.statistics.formats import fixed
from core.board.goals import Intersection
from core.control.actions import ActionSpec
from core.errors import OptionError
from core.world.rotations import matrix_from_quaternion
from core.world.scene import SceneSpec

LEAST = 1e-6  # m^2: of a reachable change that is worth dividing by


@dataclass(frozen=True, kw_only=True)
class Followed:
    """One swap.

    Attributes:
        row, column: asked for instead.
        distance: between the old and the new place (m).
        moved: by how much the end point changed (m).
        g: signed following index by the whole distance.
        reachable: by what a chunk can reach; None where nothing is reachable.
    """

    row: int
    column: int
    distance: float
    moved: float
    g: float
    reachable: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {**vars(self)}


def swaps_of(goal: Intersection, size: int, count: int, seed: int) -> list[Intersection]:
    """Other intersections: the transposed one first, then near, middling and far ones, drawn by the seed."""
    others = [(r, c) for r in range(size) for c in range(size) if (r, c) != (goal.row, goal.column)]
    away = {cell: abs(cell[0] - goal.row) + abs(cell[1] - goal.column) for cell in others}
    draw = np.random.default_rng(seed)
    order = sorted(others, key=lambda cell: (away[cell], draw.random()))
    transposed = (goal.column, goal.row)
    chosen = [transposed] if transposed in others else []
    rest = [cell for cell in order if cell not in chosen]
    at = np.linspace(0, len(rest) - 1, max(count - len(chosen), 0)).round().astype(int)
    chosen += [rest[k] for k in at]
    return [Intersection(color=goal.color, row=r, column=c) for r, c in chosen[:count]]


def follow(
    asker: Asker,
    question: Question,
    scene: SceneSpec,
    goal: Intersection,
    spec: ActionSpec,
    swaps: Sequence[Intersection],
) -> list[Followed]:
    """Asks with other coordinates in the same picture.

    Args:
        asker: of the policy.
        question: the moment.
        scene: the world, for where intersections are.
        goal: what the words ask for.
        spec: what actions mean.
        swaps: what they are made to ask for; see ``swaps_of``.

    Returns:
        One entry a swap; empty where the sentence is of another task.
    """
    text = question.observation["instruction"]
    try:
        changes = [Change(name=f"({s.row}, {s.column})", instruction=reworded(text, s)) for s in swaps]
    except OptionError:
        return []
    start = np.asarray(question.observation["state"][:3], dtype=np.float64)
    chunks = asker.act(question, [Change(name="clean"), *changes])
    old = _in_base(scene, goal)
    found = []
    for place, chunk in zip(swaps, chunks[1:], strict=True):
        new = _in_base(scene, place)
        count = min(len(chunk), len(chunks[0]))
        before = end_point(chunks[0][:count], start, spec)
        moved = (end_point(chunk[:count], start, spec) - before)[:2]
        away = (new - old)[:2]
        ideal = (_straight(start, new, count, spec) - _straight(start, old, count, spec))[:2]
        found.append(
            Followed(
                row=place.row,
                column=place.column,
                distance=float(np.linalg.norm(away)),
                moved=float(np.linalg.norm(moved)),
                g=float(moved @ away / (away @ away)),
                reachable=float(moved @ ideal / (ideal @ ideal)) if ideal @ ideal > LEAST else None,
            )
        )
    return found


def end_point(chunk: np.ndarray, start: np.ndarray, spec: ActionSpec) -> npt.NDArray[np.float64]:
    """Where a chunk commands the tool to, float64[3] in R (m), from where it is measured to be."""
    at = tuple(start)
    for action in np.asarray(chunk, dtype=np.float32):
        at = spec.advance(at, np.clip(action, spec.low, spec.high))
    return np.array(at)


def _straight(start: np.ndarray, place: np.ndarray, count: int, spec: ActionSpec) -> np.ndarray:
    at, target = tuple(start), np.array([*place[:2], start[2]])
    for _ in range(count):
        at = spec.advance(at, spec.towards(at, target, 1.0))
    return np.array(at)


def _in_base(scene: SceneSpec, goal: Intersection) -> npt.NDArray[np.float64]:
    X_WR = scene.robot.X_WR
    p_RG: npt.NDArray[np.float64] = matrix_from_quaternion(X_WR.q).T @ (
        goal_in_world(scene, goal) - np.array(X_WR.p)
    )
    return p_RG


def by_distance(
    entries: Sequence[Mapping[str, Any]], edges: Sequence[float] = (0.06, 0.12)
) -> dict[str, list[float]]:
    """g by how far the new place is from the old one; ``edges`` in m."""
    named = [*(f"to {fixed(edge * 1e3, 0, 'mm')}" for edge in edges), "farther"]
    found: dict[str, list[float]] = {name: [] for name in named}
    for entry in entries:
        found[named[int(np.searchsorted(edges, entry["distance"]))]].append(entry["g"])
    return found
