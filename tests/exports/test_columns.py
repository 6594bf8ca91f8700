"""Optional columns against what the renderer shows: depth and segmentation know nothing of our projection."""

import json
from dataclasses import replace

import numpy as np
import pytest

from bomb.demonstrations.labels import in_base, stones_of_moves
from bomb.demonstrations.pictures import Renderer
from bomb.exports.actions import commanded_targets
from bomb.exports.columns import STONES, Columns, features, spans_json, stored_depth
from bomb.exports.plan import recorded_instructions
from bomb.exports.settings import COLUMNS
from bomb.exports.targets import filled, occupancy
from core.judge.measuring import Measurer
from core.rendering.pinhole import Cameras, intrinsics
from core.world.kinematics import Kinematics
from core.world.scene import CameraSpec, SegmentationId
from core.world.stage import clean_scene
from tests.exports.conftest import make_dataset

pytestmark = pytest.mark.render

SIZE = (192, 256)
WANTED = COLUMNS
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


def test_what_is_covered_has_something_in_front_of_it(seen):
    """Against the depth picture, which the column is not made from: nearer by more than the stone is high."""
    counts = np.zeros((2, 2), dtype=int)
    for _frame, columns, state in seen:
        for camera in CAMERAS:
            visible = columns[f"annotation.visible.{camera}"]
            pixels = columns[f"annotation.stone_pixels.{camera}"].reshape(STONES, 3)
            X_CR = columns[f"annotation.extrinsics.{camera}"].reshape(4, 4)
            target = columns["annotation.target_position"]
            points = [(columns[f"annotation.target_pixel.{camera}"], target[:3], 0.003)]
            places = columns["annotation.stone_positions"].reshape(STONES, 4)
            points += [(pixels[k], places[k, :3], 0.012) for k in state.stone_ids]
            shown = visible[[0, *(state.stone_ids + 1)]]
            for uncovered, ((u, v, in_view), p_R, thick) in zip(shown, points, strict=True):
                if not in_view:
                    assert not uncovered
                    continue
                far = float((X_CR[:3, :3] @ p_R + X_CR[:3, 3])[2])
                near = columns[f"observation.depth.{camera}"][round(float(v)), round(float(u)), 0] / 1000
                counts[int(uncovered), int(near < far - thick - far / SIZE[0])] += 1
            assert visible.sum() == shown.sum()  # what is not in play is not seen
    assert counts[1, 1] == 0 and counts[1, 0] > 40 and counts[0, 1] >= 1, counts


def test_positions_are_in_the_robots_frame(seen, whole):
    (demonstration,) = whole
    scene = seen[0][0]["env"].episode.scene
    goal, spec = goal_in_base(demonstration, scene), seen[0][0]["env"].action_spec
    moved = demonstration.stones[-1, :, :3] - demonstration.stones[0, :, :3]
    taken = int(demonstration.stone_ids[np.linalg.norm(moved, axis=1).argmax()])
    for _, columns, state in seen:
        np.testing.assert_allclose(columns["annotation.target_position"], [*goal, 1], atol=1e-6)
        assert columns["annotation.stone"].tolist() == [taken]
        places = columns["annotation.stone_positions"].reshape(STONES, 4)
        assert np.flatnonzero(places[:, 3]).tolist() == state.stone_ids.tolist()
        corners = columns["annotation.board_corners"].reshape(4, 3)
        sides = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
        np.testing.assert_allclose(sides, 4 * scene.board.pitch, atol=1e-5)
    # Down the picture is +x of R, to the right +y (docs/conventions.md).
    top_left, top_right, _, bottom_left = corners
    assert bottom_left[0] > top_left[0] + 0.1 and top_right[1] > top_left[1] + 0.1
    end = demonstration.world(demonstration.length)
    k = end.stone_ids.tolist().index(taken)
    assert np.linalg.norm(in_base(scene, end.stone_poses[k, :3])[:2] - goal[:2]) < 0.01
    steps = [int(columns["annotation.step"][0]) for _, columns, _ in seen]
    stages = [int(columns["annotation.stage"][0]) for _, columns, _ in seen]
    assert steps == sorted(set(steps)) and stages == sorted(stages)
    for t, (_, columns, _) in zip(steps, seen, strict=True):
        before = columns["annotation.commanded_target"]
        reached = np.array(spec.advance(tuple(map(float, before)), demonstration.actions[t]))
        later = commanded_targets(demonstration.actions, demonstration.observations[0, :3], spec)[t + 1]
        np.testing.assert_allclose(reached, later, atol=1e-6)


def test_the_stone_of_a_move_is_the_one_that_moved(short):
    (first, *_) = short
    assert stones_of_moves(first).tolist() == [-1]  # it stops before anything is touched
    stones = np.repeat(first.stones[:1], first.length + 1, axis=0)
    pushed, lifted = stones.copy(), stones.copy()
    pushed[3:, 1, 0] += 0.02
    lifted[3:, 1, 0] += 0.02
    lifted[4, 2, 2] += 0.03
    for changed, k in ((pushed, 1), (lifted, 2)):
        found = stones_of_moves(replace(first, stones=changed))
        assert found.tolist() == [first.stone_ids[k]]


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
