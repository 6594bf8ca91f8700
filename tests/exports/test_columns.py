"""Optional columns against what the renderer shows: depth and segmentation know nothing of our projection."""

import json
from dataclasses import replace

import numpy as np
import pytest

from bomb.demonstrations.pictures import Renderer
from bomb.exports.cameras import Cameras, intrinsics
from bomb.exports.columns import STONES, Columns, features, spans_json, stored_depth
from bomb.exports.plan import recorded_instructions
from bomb.exports.targets import filled, occupancy
from core.judge.measuring import Measurer
from core.world.kinematics import Kinematics
from core.world.scene import CameraSpec, SegmentationId
from core.world.stage import clean_scene
from tests.exports.conftest import make_dataset

pytestmark = pytest.mark.render

SIZE = (192, 256)
WANTED = ("target_pixel", "occupancy", "stone_pixels", "intrinsics", "extrinsics", "depth", "spans")
CAMERAS = ("head", "wrist")
IN_FRONT = (SegmentationId.ROBOT, SegmentationId.GRIPPER)


@pytest.fixture(scope="module", params=[{}, {"camera_orbit": 4, "camera_roll": 3, "camera_fov": 4}])
def seen(request, whole) -> list[tuple[dict, dict, object]]:
    """(frame, columns, state) at ten moments of an episode, with and without perturbed cameras."""
    (demonstration,) = whole
    renderer = Renderer(
        whole.settings,
        backend=whole.settings["backends"][0],
        cameras=CAMERAS,
        image_size=SIZE,
        modalities=("depth", "segmentation"),
        perturbations=request.param or None,
    )
    moments = set(np.linspace(0, demonstration.length - 1, 10).astype(int).tolist())
    rows, columns = [], None
    for t, frame in enumerate(renderer.frames(demonstration)):
        words = recorded_instructions(demonstration)
        columns = columns or Columns(WANTED, CAMERAS, SIZE, demonstration, words, frame["env"])
        if t in moments:
            rows.append((frame, columns.row(t, frame), demonstration.world(t)))
    renderer.close()
    return rows


def goal_in_base(demonstration, scene) -> np.ndarray:
    """The goal's intersection in R: the board's frame and the robot's are both turned about z."""
    goal, board, robot = demonstration.about["goal"], scene.board.X_WB, scene.robot.X_WR
    x, y = scene.board.point(goal["row"], goal["column"])
    p_W = np.array([board.p[0] - x, board.p[1] - y, board.p[2]])
    d = p_W - np.array(robot.p)
    return np.array([d[1], -d[0], d[2]])


def test_the_target_pixel_is_the_goal_as_the_depth_picture_has_it(seen, whole):
    """Pixel and depth, through K and the extrinsics, lead back to the intersection."""
    (demonstration,) = whole
    wanted = goal_in_base(demonstration, seen[0][0]["env"].episode.scene)
    checked = 0
    for frame, columns, _ in seen:
        for camera in CAMERAS:
            u, v, in_view = columns[f"annotation.target_pixel.{camera}"]
            if not in_view:
                continue
            row, column = round(float(v)), round(float(u))
            if frame["segmentation"][camera][row, column] != SegmentationId.BOARD:
                continue  # the robot or the stone is in front of it
            K = columns[f"annotation.intrinsics.{camera}"].reshape(3, 3).astype(float)
            X_CR = columns[f"annotation.extrinsics.{camera}"].reshape(4, 4).astype(float)
            p_C = frame["depth"][camera][row, column] * np.linalg.solve(K, [column, row, 1.0])
            p_R = X_CR[:3, :3].T @ (p_C - X_CR[:3, 3])
            # Half a pixel is 2 mm on the board in the head's picture.
            assert np.linalg.norm(p_R - wanted) < 0.004
            checked += 1
    assert checked >= 8


def test_stone_pixels_lie_in_the_masks_of_the_stones(seen):
    hit = covered = 0
    for frame, columns, state in seen:
        for camera in CAMERAS:
            pixels = columns[f"annotation.stone_pixels.{camera}"].reshape(STONES, 3)
            absent = sorted(set(range(STONES)) - set(state.stone_ids.tolist()))
            assert (pixels[absent] == (-1, -1, 0)).all()
            masks = frame["segmentation"][camera]
            for stone in state.stone_ids.tolist():
                u, v, in_view = pixels[stone]
                mask = masks == SegmentationId.STONE + stone
                if not in_view:  # then at most a part of it is seen, at the picture's edge
                    edge = mask[[0, -1]].any() or mask[:, [0, -1]].any()
                    assert edge or not mask.any()
                    continue
                found = masks[round(float(v)), round(float(u))]
                if found == SegmentationId.STONE + stone:
                    hit += 1
                else:
                    assert found in IN_FRONT or found >= SegmentationId.STONE
                    covered += 1
    assert hit >= 40 and covered < hit / 3


def test_occupancy_and_the_rest(seen, whole):
    (demonstration,) = whole
    goal = demonstration.about["goal"]
    (frame, first, _), (_, last, _) = seen[0], seen[-1]
    cell = 5 * goal["row"] + goal["column"]
    assert first["annotation.occupancy"].shape == (25,) and first["annotation.occupancy"][cell] == 0
    scene = frame["env"].episode.scene
    end = demonstration.world(demonstration.length)
    board = occupancy(scene, end, Measurer(scene, Kinematics(scene.robot))(end))
    assert board.tolist() == demonstration.about["moves"]["placements"][0]["board"]
    assert {"black": 1, "white": 2}[goal["color"]] == board.reshape(-1)[cell]
    assert last["annotation.spans"] == first["annotation.spans"]
    words = demonstration.instructions[0]
    for name, (start, stop) in json.loads(first["annotation.spans"]).items():
        if name in ("row_digit", "column_digit"):
            assert words[start:stop] == str(goal[name.removesuffix("_digit")])
    depth = frame["depth"]["head"]
    assert np.abs(first["observation.depth.head"][..., 0] / 1000 - depth).max() <= 0.00051


def test_every_column_is_as_its_feature_says(seen):
    described = features(WANTED, CAMERAS, SIZE)
    for _, columns, _ in seen:
        assert list(columns) == list(described)
        for name, feature in described.items():
            value = columns[name]
            if feature.dtype == "string":
                assert isinstance(value, str)
                continue
            assert value.shape == feature.shape, name
            assert value.dtype == ("uint16" if feature.dtype == "depth" else feature.dtype), name
            assert feature.names is None or len(feature.names) in (value.size, value.ndim)


def test_the_target_of_a_pattern_is_the_intersection_that_was_filled(tmp_path):
    dataset = make_dataset(tmp_path / "pattern", episodes=1, task="copy_pattern")
    (demonstration,) = dataset
    moves = demonstration.about["moves"]["placements"]
    assert len(moves) > 1
    before = np.array(moves[0]["board"])
    found = filled(moves[1]["goal"], before, moves[1]["board"])
    (changed,) = np.argwhere(np.array(moves[1]["board"]) != before)
    assert (found["row"], found["column"]) == tuple(changed)
    assert filled(moves[1]["goal"], before, moves[0]["board"]) is None


def test_a_camera_that_looks_down():
    """By hand: one metre above the origin a point 0.5 m to the right is seen 45 pixels from the middle."""
    camera = CameraSpec(name="head", eye=(0, 0, 1), forward=(0, 0, -1), up=(0, 1, 0), fovy=2 * np.arctan(0.5))
    K = intrinsics(camera, (90, 180))
    assert np.allclose(K, [[90, 0, 89.5], [0, 90, 44.5], [0, 0, 1]])

    scene = replace(clean_scene(()), cameras=(camera,))
    points = [[0.5, 0, 0], [0, 0.25, 0], [5, 0, 0], [0, 0, 2]]
    pixels = Cameras(scene, (90, 180)).pixels("head", None, points)
    assert np.allclose(pixels, [[134.5, 44.5, 1], [89.5, 22, 1], [539.5, 44.5, 0], [-1, -1, 0]])


def test_depth_saturates():
    assert stored_depth(np.array([[0.0004, 1.2345, 70.0]], np.float32))[..., 0].tolist() == [[0, 1234, 65535]]


def test_spans_are_plain_json(short):
    (instruction, *_) = recorded_instructions(short.load(0))
    assert spans_json(instruction).startswith('{"') and " " not in spans_json(instruction)
