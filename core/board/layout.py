"""Laying out stones: on intersections, on the table beside the board, and an opponent's in mid-game."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from core.board.boards import COLOR_NAMES, COLORS, Board, Cell, empty_board, with_cell
from core.board.goals import Intersection
from core.errors import EpisodeInitializationError, OptionError
from core.world.rotations import Pose, compose, matrix_from_quaternion
from core.world.scene import SceneSpec
from core.world.state import JOINTS, SceneState

# Where stones lie on the table, at each side of the board (m): the open gripper, with its fingers along x_W,
# fits between any two of them and between them and the board's edge, however the board lies.
SIDES = {"left": 1.0, "right": -1.0}  # as the head picture shows it: sign of x_W
FROM_BOARD = 0.062  # along x_W, to a stone's middle: an open finger's outer side is 39 mm from it
_BETWEEN = 0.058  # along x_W, of two stones' middles
_FARTHEST = 0.285  # x_W of the outer column, and how far one may lie that is alone at its side
_FARTHEST_ALONE = 0.300
_JITTER = (0.008, 0.001)
_ROWS = (-0.300, -0.2375, -0.175, -0.1125, -0.050)
# A column that is alone has more of them; fingers are 22 mm wide along y_W.
_ROWS_ALONE = tuple(round(float(y), 4) for y in np.linspace(-0.300, -0.030, 8))
SLOTS_PER_SIDE = len(_ROWS_ALONE)  # wherever the board lies; ten where it lies in the middle


def intersection_pose(scene: SceneSpec, cell: Cell, *, yaw: float = 0.0) -> Pose:
    """X_WS of a stone that rests on an intersection.

    Raises:
        OptionError: if there is no such intersection.
    """
    board, (row, column) = scene.board, cell
    if not (0 <= row < board.size and 0 <= column < board.size):
        raise OptionError(f"no intersection ({row}, {column}) on a board of {board.size} x {board.size}")
    p_BS = (*board.point(row, column), scene.stones[0].height / 2)
    return compose(board.X_WB, Pose(p_BS, (float(np.cos(yaw / 2)), 0.0, 0.0, float(np.sin(yaw / 2)))))


def lay_out(
    scene: SceneSpec,
    *,
    board: Board,
    table: Mapping[str, int],
    rng: np.random.Generator,
    sides: Sequence[str] | None = None,
) -> SceneState:
    """The robot at home, stones on the board as ``board`` says and loose ones on the table.

    Args:
        scene: the world, whose pool the stones are taken from.
        board: colours by row and column.
        table: how many stones of each colour lie on the table.
        rng: draws places and yaws.
        sides: of the board, out of ``SIDES``, where stones may lie; None: where no marked area is.

    Raises:
        EpisodeInitializationError: if the pool or the table has no room for so many stones.
    """
    if len(board) != scene.board.size or any(len(line) != scene.board.size for line in board):
        shape = f"{len(board)} x {max(map(len, board), default=0)}"
        raise OptionError(f"the board has {scene.board.size} x {scene.board.size} intersections, not {shape}")
    on_board = [
        ((r, c), COLOR_NAMES[value]) for r, line in enumerate(board) for c, value in enumerate(line) if value
    ]
    pool = _Pool(scene, ())
    poses: dict[int, npt.NDArray[np.floating]] = {}
    for cell, color in on_board:
        poses[pool.take(color)] = intersection_pose(scene, cell, yaw=rng.uniform(0, 2 * np.pi)).array()
    sides = _unmarked_sides(scene) if sides is None else sides
    slots = [slot for side in sides for slot in _slots(scene, SIDES[side])]
    loose = [color for color in COLORS for _ in range(table.get(color, 0))]
    if len(loose) > len(slots):
        raise EpisodeInitializationError(
            f"{len(loose)} stones do not fit on the table: there is room for {len(slots)} at {sides}"
        )
    for color, k in zip(loose, rng.permutation(len(slots)), strict=False):
        (x, y), jitter = slots[k]
        x, y = (x, y) + rng.uniform(-1, 1, 2) * jitter
        half, z = rng.uniform(0, np.pi), scene.table.height + scene.stones[0].height / 2
        poses[pool.take(color)] = np.array([x, y, z, np.cos(half), 0.0, 0.0, np.sin(half)])
    return at_rest(scene, poses)


def at_rest(scene: SceneSpec, poses: Mapping[int, npt.NDArray[np.floating]]) -> SceneState:
    """The robot at home with open fingers, and stones that lie still.

    Args:
        scene: the world.
        poses: pool index to pose in W, as p (m) and q (wxyz).
    """
    ids = sorted(poses)
    fingers = [scene.robot.max_finger_position] * 2
    return SceneState(
        joint_positions=np.array([*scene.robot.home, *fingers], dtype=np.float32),
        joint_velocities=np.zeros(JOINTS, dtype=np.float32),
        stone_ids=np.array(ids, dtype=np.int16),
        stone_poses=np.array([poses[k] for k in ids], dtype=np.float32).reshape(-1, 7),
        stone_velocities=np.zeros((len(ids), 6), dtype=np.float32),
    ).validated()


def board_reach(scene: SceneSpec) -> float:
    """How far the board reaches from its middle along x_W, as it lies (m)."""
    R_WB = matrix_from_quaternion(scene.board.X_WB.q)
    return float(abs(R_WB[0, :2]).sum() * scene.board.width / 2)


def _unmarked_sides(scene: SceneSpec) -> list[str]:
    return [side for side, sign in SIDES.items() if not any(sign * m.center[0] > 0 for m in scene.marks)]


def _slots(scene: SceneSpec, side: float) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Places at one side of the board as it lies, (x_W, y_W), and how far a stone may lie off them (m)."""
    nearest = side * scene.board.X_WB.p[0] + board_reach(scene) + FROM_BOARD
    inner = round(nearest + _JITTER[0], 9)
    if _FARTHEST - inner >= _BETWEEN + 2 * _JITTER[0]:
        return [((side * x, y), _JITTER) for x in (inner, _FARTHEST) for y in _ROWS]
    half = (_FARTHEST_ALONE - nearest) / 2
    if half < 0:
        return []
    jitter = (min(half, _JITTER[0]), _JITTER[1])
    return [((side * (nearest + half), y), jitter) for y in _ROWS_ALONE]


def add_stones(scene: SceneSpec, state: SceneState, stones: Iterable[Intersection]) -> SceneState:
    """``state`` with more stones of the pool, at rest on their intersections.

    Raises:
        EpisodeInitializationError: if the pool holds no more stones of a colour.
    """
    pool = _Pool(scene, state.stone_ids.tolist())
    new = {
        pool.take(stone.color): intersection_pose(scene, (stone.row, stone.column)).array()
        for stone in stones
    }
    ids = np.array([*state.stone_ids.tolist(), *new], dtype=np.int16)
    order = np.argsort(ids)
    return replace(
        state,
        stone_ids=ids[order],
        stone_poses=np.array([*state.stone_poses, *new.values()], dtype=np.float32).reshape(-1, 7)[order],
        stone_velocities=np.array([*state.stone_velocities, *np.zeros((len(new), 6))], dtype=np.float32)[
            order
        ],
    ).validated()


def board_of(episode_state: SceneState, scene: SceneSpec) -> Board:
    """The board as a layout meant it: of each stone above the table the nearest intersection."""
    board = empty_board(scene.board.size)
    cells = [(r, c) for r in range(scene.board.size) for c in range(scene.board.size)]
    places = np.array([intersection_pose(scene, cell).p for cell in cells])
    for k, pose in zip(episode_state.stone_ids, episode_state.stone_poses, strict=True):
        distances = np.linalg.norm(places - pose[:3], axis=1)
        if distances.min() < scene.board.pitch / 4:
            board = with_cell(board, cells[int(np.argmin(distances))], COLORS[scene.stones[k].color])
    return board


def loose_colors(state: SceneState, scene: SceneSpec) -> set[str]:
    """Colours of which a stone lies on the table."""
    lowest_on_board = scene.table.height + 0.8 * scene.board.thickness
    low = state.stone_poses[:, 2] < lowest_on_board
    return {scene.stones[k].color for k in state.stone_ids[low].tolist()}


class _Pool:
    """Stones that are not in play yet, lowest index first."""

    def __init__(self, scene: SceneSpec, used: Iterable[int]):
        taken = set(used)
        self._size = {color: sum(stone.color == color for stone in scene.stones) for color in COLORS}
        self._free = {
            color: [k for k, stone in enumerate(scene.stones) if stone.color == color and k not in taken]
            for color in COLORS
        }

    def take(self, color: str) -> int:
        if not self._free[color]:
            raise EpisodeInitializationError(
                f"the pool holds {self._size[color]} {color} stones, and one more was asked for"
            )
        return self._free[color].pop(0)
