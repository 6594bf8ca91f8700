"""What each pixel shows, from the simulator: stone, target, gripper, and what is beside the point."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from bomb.pictures.views import outlines, project
from core.board.goals import Goal, Intersection, alternatives
from core.errors import OptionError
from core.world.kinematics import Kinematics
from core.world.rotations import Pose, matrix_from_quaternion, triple
from core.world.scene import CameraSpec, SceneSpec, SegmentationId
from core.world.state import SceneState

REGIONS = ("background", "board", "arm", "other stones", "target", "stone", "gripper")
OBJECTS = ("stone", "target", "gripper", "board")  # of the task; effect elsewhere is nuisance
_IDS = {SegmentationId.BOARD: "board", SegmentationId.ROBOT: "arm", SegmentationId.GRIPPER: "gripper"}


def chosen_stone(
    scene: SceneSpec, goal: Goal, state: SceneState, tool: npt.NDArray[np.floating]
) -> int | None:
    """The stone that is meant: of the colour asked for, off its place, and nearest to the tool.

    Where a goal has a source, that is the stone which was on it; else stones that lie on the board already do
    not count, unless the tool is at one.

    Args:
        scene: the world.
        goal: what is asked for.
        state: as it stands.
        tool: float[3], the tool centre point in R (m).

    Returns:
        Index in the pool; None where there is no such stone.
    """
    wanted = {place.color for place in alternatives(goal)}
    ids = [k for k, index in enumerate(state.stone_ids) if scene.stones[index].color in wanted]
    if not ids:
        return None
    places = state.stone_poses[ids, :3].astype(np.float64)
    p_WT = _in_world(scene.robot.X_WR, np.asarray(tool, dtype=np.float64))
    away = np.linalg.norm(places - p_WT, axis=1)
    on_board = np.abs((places - np.array(scene.board.X_WB.p))[:, :2]).max(1) < scene.board.width / 2
    resting = places[:, 2] < scene.board.X_WB.p[2] + 2 * scene.stones[0].height
    aside = on_board & resting & (away > scene.board.pitch / 2)
    if not aside.all():
        away = np.where(aside, np.inf, away)
    return int(state.stone_ids[ids[int(away.argmin())]])


def region_map(
    segmentation: npt.NDArray[np.int32], scene: SceneSpec, goal: Goal, camera: CameraSpec, stone: int | None
) -> npt.NDArray[np.uint8]:
    """Index into ``REGIONS`` of every pixel, uint8[H, W].

    The target is the square around the goal's intersection (the goal's rectangle, where it is a region),
    where board or table are seen; what stands in front of it is what it is.

    Args:
        segmentation: int32[H, W] of ``SegmentationId``.
        scene: the world.
        goal: what is asked for.
        camera: that drew it, see ``camera_in_world``.
        stone: the one that is meant, see ``chosen_stone``.
    """
    found = np.full(segmentation.shape, REGIONS.index("background"), dtype=np.uint8)
    for value, name in _IDS.items():
        found[segmentation == value] = REGIONS.index(name)
    flat = np.isin(segmentation, (SegmentationId.BOARD, SegmentationId.TABLE, SegmentationId.MARK))
    found[flat & target_mask(segmentation.shape, scene, goal, camera)] = REGIONS.index("target")
    found[segmentation >= SegmentationId.STONE] = REGIONS.index("other stones")
    if stone is not None:
        found[segmentation == SegmentationId.STONE + stone] = REGIONS.index("stone")
    return found


def target_mask(
    size: tuple[int, int], scene: SceneSpec, goal: Goal, camera: CameraSpec
) -> npt.NDArray[np.bool_]:
    """bool[H, W]: where the goal would be seen if nothing stood in front of it; see ``region_map``."""
    from PIL import Image, ImageDraw

    if camera.parent != "world":
        raise OptionError(
            f"the target is found in pictures of cameras in the world; {camera.name} is on the hand"
        )
    ink = Image.new("1", (size[1], size[0]))
    draw = ImageDraw.Draw(ink)
    for place in alternatives(goal):
        line = _square(scene, place) if isinstance(place, Intersection) else outlines(scene, place, 0.0)[0]
        forward = np.array(camera.forward) / np.linalg.norm(camera.forward)
        if ((line - np.array(camera.eye)) @ forward <= camera.near).any():
            continue  # behind a camera on the hand
        pixels = project(camera, line, size)
        draw.polygon([(float(x), float(y)) for y, x in pixels], fill=1)
    return np.array(ink)


def camera_in_world(camera: CameraSpec, scene: SceneSpec, state: SceneState) -> CameraSpec:
    """A camera as it stands in the world; one on the hand is where the hand is."""
    if camera.parent == "world":
        return camera
    found = Kinematics(scene.robot).link_poses(state.joint_positions.astype(np.float64), [camera.parent])[0]
    R_WH, p_WH = matrix_from_quaternion(found[3:]), found[:3]
    return replace(
        camera,
        parent="world",
        eye=triple(R_WH @ np.array(camera.eye) + p_WH),
        forward=triple(R_WH @ np.array(camera.forward)),
        up=triple(R_WH @ np.array(camera.up)),
    )


def shares(
    effects: npt.NDArray[np.floating], numbers: npt.NDArray[np.integer], regions: npt.NDArray[np.uint8]
) -> dict[str, float] | None:
    """Where the effect of patches lies: shares of what is positive, by region, summing to 1.

    The effect of a patch is spread evenly over its pixels.

    Args:
        effects: float[n] of the patches.
        numbers: int[H, W], which patch a pixel belongs to, -1 for none.
        regions: uint8[H, W] of ``REGIONS``.

    Returns:
        None where nothing is positive.
    """
    positive = np.maximum(effects, 0.0)
    if not positive.sum() > 0:
        return None
    inside = numbers >= 0
    each = positive / np.bincount(numbers[inside], minlength=len(effects))
    mass = np.bincount(regions[inside], weights=each[numbers[inside]], minlength=len(REGIONS))
    return {name: float(mass[k] / positive.sum()) for k, name in enumerate(REGIONS)}


def areas(numbers: np.ndarray, regions: np.ndarray) -> dict[str, float]:
    """Shares of the picture's area by region: what ``shares`` would be if all patches mattered alike."""
    inside = numbers >= 0
    counted = np.bincount(regions[inside], minlength=len(REGIONS)) / inside.sum()
    return {name: float(counted[k]) for k, name in enumerate(REGIONS)}


def nuisance(shared: Mapping[str, float] | None) -> float | None:
    """Share of the effect outside of the task's objects: the nuisance mass ratio (arXiv:2605.00321)."""
    return None if shared is None else sum(shared[name] for name in REGIONS if name not in OBJECTS)


def shown_by(grid_numbers: np.ndarray, count: int, regions: np.ndarray) -> list[str]:
    """The region that most stands out in each patch: the task's objects before what is around them.

    A stone is smaller than a patch: a patch that holds a quarter of it shows the stone.
    """
    found, total = [], np.bincount(regions.ravel(), minlength=len(REGIONS))
    small = [REGIONS.index(name) for name in ("stone", "target", "gripper")]
    for k in range(count):
        here = np.bincount(regions[grid_numbers == k], minlength=len(REGIONS))
        held = [region for region in small if here[region] * 4 >= max(total[region], 1)]
        found.append(REGIONS[held[0] if held else int(here.argmax())])
    return found


def _square(scene: SceneSpec, place: Intersection) -> npt.NDArray[np.float64]:
    x, y = scene.board.point(place.row, place.column)
    half = scene.board.pitch / 2
    corners = np.array([(x + i * half, y + j * half, 0.0) for i, j in ((-1, -1), (1, -1), (1, 1), (-1, 1))])
    turned: npt.NDArray[np.float64] = corners @ matrix_from_quaternion(scene.board.X_WB.q).T
    return turned + np.array(scene.board.X_WB.p, dtype=np.float64)


def _in_world(X_WR: Pose, point: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    turned: npt.NDArray[np.float64] = matrix_from_quaternion(X_WR.q) @ point
    return turned + np.array(X_WR.p, dtype=np.float64)
