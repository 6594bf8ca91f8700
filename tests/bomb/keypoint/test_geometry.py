"""Homographies, cameras and boards from points, against cameras made by hand."""

import numpy as np
import pytest

from bomb.models.keypoint.belief import Spot
from bomb.models.keypoint.board import LEAST_SHARE, Board
from bomb.models.keypoint.eye import Detections, peaks
from bomb.models.keypoint.format import CORNERS, MAPS, REFERENCES, intersections
from bomb.models.keypoint.geometry import (
    board_pose,
    homography,
    on_board,
    plane_of,
    refined_board,
    transformed,
)

RNG = np.random.default_rng(3)


def camera() -> np.ndarray:
    """A projection float64[3, 4] of a camera that looks down from the side, 128 pixels."""
    angle = 0.6
    R = np.array([[0, 1, 0], [np.cos(angle), 0, -np.sin(angle)], [-np.sin(angle), 0, -np.cos(angle)]])
    K = np.array([[150.0, 0, 63.5], [0, 150.0, 63.5], [0, 0, 1]])
    eye = np.array([0.9, 0.05, 0.7])
    return K @ np.column_stack([R, -R @ eye])


def seen_by(projection: np.ndarray, points: np.ndarray) -> np.ndarray:
    uvw = np.column_stack([points, np.ones(len(points))]) @ projection.T
    return uvw[:, :2] / uvw[:, 2:]


def test_a_homography_is_exact():
    H = np.array([[1.1, 0.1, 4], [-0.2, 0.9, 7], [1e-3, -2e-3, 1]])
    points = RNG.uniform(0, 128, (9, 2))
    assert np.allclose(homography(points, transformed(H, points)), H, atol=1e-9)


@pytest.mark.parametrize("camera_name", ["head", "wrist"])
def test_a_plane_is_told_from_reference_points(camera_name):
    """Whether they lie on the plane or, of the wrist camera, at two other heights."""
    references = REFERENCES[camera_name]
    height = {"head": 0.0, "wrist": -0.08}[camera_name]
    plane = plane_of(seen_by(camera(), references), references, height)
    points = np.column_stack([RNG.uniform(-0.1, 0.6, (20, 2)), np.full(20, height)])
    assert np.allclose(transformed(plane, seen_by(camera(), points)), points[:, :2], atol=1e-7)


def board(angle: float = 0.2) -> np.ndarray:
    # x_B is y of R and y_B is -x of R: see docs/conventions.md.
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ [[0, -1], [1, 0]]
    return np.column_stack([turn, [0.5, 0.02]])


def test_a_board_is_told_from_some_of_its_points():
    some = [0, 7, 18]
    pose = board_pose(intersections()[some], on_board(board(), intersections()[some]), np.ones(3))
    assert np.allclose(pose, board(), atol=1e-12)


def test_a_rough_board_is_moved_onto_what_is_seen():
    """15 mm and 4 degrees off, a third of the intersections hidden and two false ones."""
    shown = RNG.permutation(25)[:16]
    seen = np.vstack([on_board(board(), intersections()[shown]), [[0.9, 0.5], [0.31, -0.3]]])
    rough = board(0.27)
    rough[:, 2] += [0.012, -0.009]
    pose, count, residual = refined_board(rough, seen, np.ones(len(seen)))
    assert np.allclose(on_board(pose, intersections()), on_board(board(), intersections()), atol=1e-6)
    assert count == 16 and residual < 1e-6


def test_the_wrist_camera_settles_what_is_near_the_tool():
    """The head camera had the board 12 mm off; intersections seen from near put the goal right."""
    belief, true = Board(), on_board(board(), intersections())
    off = np.array([0.009, -0.008])
    corners = {
        name: true[[k]] + off for k, name in zip(CORNERS, [n for n in MAPS if "corner" in n], strict=True)
    }
    empty = {name: np.zeros((0, 2)) for name in MAPS}
    points = {**empty, **corners, "intersection": true + off}
    heats = {name: np.ones(len(found)) for name, found in points.items()}
    belief.saw_from_head(Detections(points=points, heats=heats, plane=np.eye(3)))
    assert np.allclose(belief.point(3, 3), true[18] + off, atol=1e-6)
    before = belief.error(3, 3)
    near = {**empty, "intersection": true[[17, 19, 23]]}
    heats = {name: np.ones(len(found)) for name, found in near.items()}
    tool = np.array([*true[18], 0.06])
    for _ in range(3):
        belief.saw_from_wrist(Detections(points=near, heats=heats, plane=np.eye(3)), tool)
    assert np.linalg.norm(belief.point(3, 3) - true[18]) < 0.0015
    assert belief.error(3, 3) < before / 2
    assert belief.error(0, 0) > belief.error(3, 3)


def test_looks_are_weighted_by_how_sure_they_are_and_never_forgotten():
    spot = Spot(np.array([0.5, 0.0]), 0.006)
    spot.update(np.array([0.51, 0.0]), 0.001)
    assert 0.5097 < spot.place[0] < 0.51
    for _ in range(50):
        spot.update(np.array([0.51, 0.0]), 0.001)
    assert spot.error >= LEAST_SHARE * 0.0009


def test_peaks_are_found_between_cells():
    heat, du, dv = np.full((32, 32), 1e-3), np.zeros((32, 32)), np.zeros((32, 32))
    true = np.array([[10.3, 20.4], [25.0, 3.75]])
    v, u = np.mgrid[0:32, 0:32]
    for place in true:
        away = (u - place[0]) ** 2 + (v - place[1]) ** 2
        heat = np.maximum(heat, np.exp(-0.5 * away) * (0.9 if place[0] < 20 else 0.8))
        near = away < 6
        du, dv = np.where(near, place[0] - u, du), np.where(near, place[1] - v, dv)
    cells, heats = peaks(heat, du, dv)
    assert np.allclose(cells, true) and heats[0] > heats[1] > 0.7
