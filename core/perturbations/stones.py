"""How many stones there are, where they lie at reset, and what they look like."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from core.backend import Capability
from core.board.goals import alternatives
from core.errors import CapabilityError, EpisodeInitializationError
from core.perturbations.base import HIGHEST, Perturbation, Touches, sign, spread
from core.task import Episode, Intersection, Task
from core.world.kinematics import home_position
from core.world.rotations import Pose, compose, quaternion_about_z
from core.world.scene import MaterialSpec, SceneSpec, StoneSpec, TextureSpec, each_stone
from core.world.state import SceneState
from core.world.textures import Rgb

EXTRA_PER_LEVEL = 2
LINE = 5
CELLS = LINE * LINE
LEAST_FREE = 4  # intersections that `stone_amount` leaves free, the goal among them
FULL_BOARD_PAIRS = 3  # of black and white stones that full boards need besides the pool
SPREAD, TURN = 0.08, np.radians(3.0)  # at severity 5: see StonePosition

# Shape and look by kind. All are 22 mm across, high enough to be gripped, and 5 g.
KINDS: dict[str, dict[str, Any]] = {
    "checker": {"height": 0.008, "flat_radius": 0.0103, "rim_height": 0.0066},
    "coin": {"height": 0.0072, "flat_radius": 0.0106, "rim_height": 0.0064},
    "button": {"height": 0.0076, "flat_radius": 0.0092, "rim_height": 0.0036},
    "die": {"height": 0.008, "flat_radius": 0.0098, "rim_height": 0.006, "facets": 8},
}


def _marked(texture: str, light: Rgb, dark: Rgb, roughness: float) -> MaterialSpec:
    """A surface with a drawn face: ``light`` with ``dark`` marks."""
    params = (("light", light), ("dark", dark))
    return MaterialSpec(
        color=(1.0, 1.0, 1.0),
        roughness=roughness,
        texture=TextureSpec(name=texture, size=(128, 128), params=params),
    )


LOOKS: dict[str, dict[str, MaterialSpec]] = {
    "checker": {
        "black": MaterialSpec(color=(0.020, 0.010, 0.008), roughness=0.45),
        "white": MaterialSpec(color=(0.72, 0.55, 0.33), roughness=0.45),
    },
    "coin": {
        "black": MaterialSpec(color=(0.030, 0.028, 0.030), roughness=0.30, metallic=0.3),
        "white": MaterialSpec(color=(0.72, 0.72, 0.70), roughness=0.25, metallic=0.3),
    },
    "button": {
        "black": _marked("button", (0.015, 0.015, 0.03), (0.10, 0.10, 0.12), 0.4),
        "white": _marked("button", (0.80, 0.76, 0.70), (0.15, 0.12, 0.10), 0.4),
    },
    "die": {
        "black": _marked("pips", (0.012, 0.012, 0.012), (0.55, 0.55, 0.55), 0.35),
        "white": _marked("pips", (0.80, 0.80, 0.78), (0.03, 0.03, 0.03), 0.35),
    },
}


class StoneAmount(Perturbation):
    """More stones lie on the board; those of the clean world stay where they are, and the goal free.

    At least four intersections stay free, which matters together with ``stone_layout`` only.
    """

    name: ClassVar[str] = "stone_amount"
    family: ClassVar[str] = "stones"
    touches: ClassVar[Touches] = Touches.LAYOUT
    unit: ClassVar[str] = "stones"
    levels: ClassVar[tuple[str, ...]] = tuple(f"+{EXTRA_PER_LEVEL * k}" for k in range(1, 6))
    statistic: ClassVar[str] = "number of stones in play"

    def prepare(self, scene: SceneSpec) -> SceneSpec:
        # Eight on the table, eight around the goal and ten more are two more than the pool holds.
        first = {stone.color: stone for stone in reversed(scene.stones)}
        return replace(scene, stones=(*scene.stones, first["black"], first["white"]))

    def draw(self, rng: np.random.Generator, level: int) -> dict[str, Any]:
        return {
            "count": EXTRA_PER_LEVEL * level,
            "cells": rng.permutation(CELLS).tolist(),
            "black": (rng.random(CELLS) < 0.5).tolist(),
            "yaws_rad": rng.uniform(0, 2 * np.pi, CELLS).tolist(),
        }

    def arrange(self, episode: Episode, draw: dict[str, Any], task: Task) -> Episode:
        board = episode.scene.board
        goals = [goal for goal in alternatives(episode.goal) if isinstance(goal, Intersection)]
        taken = {*((goal.row, goal.column) for goal in goals), *_occupied(episode)}
        free = [k for k in range(CELLS) if divmod(draw["cells"][k], board.size) not in taken]
        # Were the goal the last free intersection, the board would tell it.
        free = free[: max(0, len(free) + 1 - LEAST_FREE)]
        added = [
            (
                divmod(draw["cells"][k], board.size),
                "black" if draw["black"][k] else "white",
                draw["yaws_rad"][k],
            )
            for k in free[: draw["count"]]
        ]
        return with_board_stones(episode, added)


class StoneLayout(Perturbation):
    """The board is laid out in another way; stones on the table stay.

    Where a set is about the goal's surroundings, every free intersection has the same: the goal is one of
    them, and which one, the board does not tell.
    """

    name: ClassVar[str] = "stone_layout"
    family: ClassVar[str] = "stones"
    touches: ClassVar[Touches] = Touches.LAYOUT
    sets: ClassVar[dict[str, str]] = {
        "empty": "no stone on the board",
        "around_goal": "a stone on every neighbour of the goal, diagonals too, and of all that is free",
        "row": "the rest of the goal's row is full; each other row has one free intersection, too",
        "column": "the rest of the goal's column is full; each other column has one free one, too",
    }

    def prepare(self, scene: SceneSpec) -> SceneSpec:
        # Eight on the table and up to 21 on the board.
        first = {stone.color: stone for stone in reversed(scene.stones)}
        return replace(scene, stones=(*scene.stones, *(first["black"], first["white"]) * FULL_BOARD_PAIRS))

    def draw(self, rng: np.random.Generator, level: str) -> dict[str, Any]:
        return {
            "order": rng.permutation(CELLS).tolist(),
            "yaws_rad": rng.uniform(0, 2 * np.pi, CELLS).tolist(),
            "holes": rng.integers(LINE, size=LINE).tolist(),
        }

    def arrange(self, episode: Episode, draw: dict[str, Any], task: Task) -> Episode:
        goal = episode.goal
        if not isinstance(goal, Intersection):
            raise CapabilityError(f"{self.name} is about one intersection, not {goal!r}")
        n, row, column = episode.scene.board.size, goal.row, goal.column
        holes = draw["holes"]
        filled: dict[str, Callable[[int, int], bool]] = {
            "empty": lambda r, c: False,
            # What is free lies two apart: every one of these has stones all around it.
            "around_goal": lambda r, c: (r - row) % 2 == 1 or (c - column) % 2 == 1,
            "row": lambda r, c: c != (column if r == row else holes[r]),
            "column": lambda r, c: r != (row if c == column else holes[c]),
        }
        wanted = filled[draw["set"]]
        cells = [(r, c) for r in range(n) for c in range(n) if wanted(r, c)]
        # Half of them black, so that the pool holds enough of each colour.
        cells.sort(key=lambda cell: draw["order"][cell[0] * n + cell[1]])
        added = [
            (cell, "black" if 2 * k < len(cells) else "white", draw["yaws_rad"][cell[0] * n + cell[1]])
            for k, cell in enumerate(cells)
        ]
        table = np.isin(np.arange(len(episode.state.stone_ids)), _table_rows(episode))
        return with_board_stones(replace(episode, state=_kept(episode.state, table)), added)


class StonePosition(Perturbation):
    """Stones on the table start elsewhere: spread out from below the gripper's start and turned about it.

    Whatever is nearest stays nearest, distances between stones only grow, and so does the room to the board.
    """

    name: ClassVar[str] = "stone_position"
    family: ClassVar[str] = "stones"
    touches: ClassVar[Touches] = Touches.LAYOUT
    unit: ClassVar[str] = "mm, for a stone 0.3 m from the gripper"
    levels: ClassVar[tuple[str, ...]] = ("5", "10", "15", "20", "24 (and up to 3 degrees)")
    statistic: ClassVar[str] = "mean distance of the table's stones from where they lie in the clean world"

    def draw(self, rng: np.random.Generator, level: int) -> dict[str, Any]:
        share = level / HIGHEST
        return {"factor": 1 + SPREAD * share, "turn_rad": float(TURN * share * sign(rng) * spread(rng))}

    def arrange(self, episode: Episode, draw: dict[str, Any], task: Task) -> Episode:
        robot = episode.scene.robot
        center = np.array(home_position(robot)[:2])
        c, s = np.cos(draw["turn_rad"]), np.sin(draw["turn_rad"])
        poses = episode.state.stone_poses.copy()
        rows = _table_rows(episode)
        moved = (poses[rows, :2] - center) @ np.array([[c, s], [-s, c]]) * draw["factor"] + center
        poses[rows, :2] = moved
        return replace(episode, state=replace(episode.state, stone_poses=poses))


class StoneKind(Perturbation):
    """Other things of the same footprint take the place of Go stones, dark ones for black ones."""

    name: ClassVar[str] = "stone_kind"
    family: ClassVar[str] = "stones"
    touches: ClassVar[Touches] = Touches.SHAPE
    sets: ClassVar[dict[str, str]] = {
        "checker": "a draughts piece: a disc with an upright rim, dark and light wood",
        "coin": "a thick disc, 7.2 mm high, a little metallic",
        "button": "a disc with a round edge, 7.6 mm high, and four holes (drawn)",
        "die": "an eight-sided tile with five pips (drawn)",
    }
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {Capability.LIVE_SHAPES, Capability.LIVE_MATERIALS}
    )

    def draw(self, rng: np.random.Generator, level: str) -> dict[str, Any]:
        return {}

    def dress(self, scene: SceneSpec, draw: dict[str, Any]) -> SceneSpec:
        return replace(scene, stones=each_stone(scene.stones, lambda stone: of_kind(stone, draw["set"])))


def of_kind(stone: StoneSpec, kind: str) -> StoneSpec:
    """The same stone as another kind of thing."""
    return replace(stone, kind=kind, material=LOOKS[kind][stone.color], **KINDS[kind])


def with_board_stones(episode: Episode, added: list[tuple[tuple[int, int], str, float]]) -> Episode:
    """The episode with stones of the pool added on intersections, each (cell, colour, yaw).

    A colour whose pool is used up gives way to the other.

    Raises:
        EpisodeInitializationError: if both are used up.
    """
    scene, state = episode.scene, episode.state
    used = set(state.stone_ids.tolist())
    pools = {
        c: [k for k, s in enumerate(scene.stones) if s.color == c and k not in used]
        for c in ("black", "white")
    }
    poses = dict(zip(state.stone_ids.tolist(), state.stone_poses, strict=True))
    board = scene.board
    for (row, column), color, yaw in added:
        pool = pools[color] or pools["white" if color == "black" else "black"]
        if not pool:
            raise EpisodeInitializationError(
                f"all {len(scene.stones)} stones of the pool are in play; ask for fewer on the board"
            )
        index = pool.pop(0)
        height = scene.stones[index].height / 2
        p_BS = (*board.point(row, column), height)
        poses[index] = compose(board.X_WB, Pose(p_BS, quaternion_about_z(yaw))).array().astype(np.float32)
    return replace(episode, state=_with_stones(state, poses))


def _with_stones(state: SceneState, poses: dict[int, np.ndarray]) -> SceneState:
    ids = sorted(poses)
    return replace(
        state,
        stone_ids=np.array(ids, dtype=np.int16),
        stone_poses=np.array([poses[k] for k in ids], dtype=np.float32).reshape(-1, 7),
        stone_velocities=np.zeros((len(ids), 6), dtype=np.float32),
    ).validated()


def _kept(state: SceneState, rows: np.ndarray) -> SceneState:
    return _with_stones(
        state, dict(zip(state.stone_ids[rows].tolist(), state.stone_poses[rows], strict=True))
    )


def _table_rows(episode: Episode) -> np.ndarray:
    """Rows of the state whose stones lie on the table."""
    z = episode.state.stone_poses[:, 2]
    return np.flatnonzero(z < episode.scene.table.height + 0.8 * episode.scene.board.thickness)


def _occupied(episode: Episode) -> list[tuple[int, int]]:
    """Cells of the stones on the board."""
    board, state = episode.scene.board, episode.state
    q = board.X_WB.q
    cells, middle = [], (board.size - 1) / 2
    yaw = 2 * np.arctan2(q[3], q[0])
    for row in sorted(set(range(len(state.stone_ids))) - set(_table_rows(episode).tolist())):
        dx, dy = state.stone_poses[row, :2] - np.asarray(board.X_WB.p[:2])
        x, y = dx * np.cos(yaw) + dy * np.sin(yaw), -dx * np.sin(yaw) + dy * np.cos(yaw)
        cells.append((round(middle - y / board.pitch), round(middle + x / board.pitch)))
    return cells
