"""Knobs that are only seen: what they change, by how much, and that nothing else moves."""

from dataclasses import replace

import numpy as np
import pytest

import core
from bomb.pictures.gallery import levels_of
from bomb.pictures.views import project
from core.perturbations import KNOBS
from core.perturbations.base import Touches
from core.perturbations.camera import TOOL_IN_HAND
from core.task import Episode
from core.world.kinematics import Kinematics
from core.world.scene import CameraSpec, SegmentationId
from core.world.stage import CAMERAS
from tests.perturbations.conftest import SEED, graded, highest, of

pytestmark = pytest.mark.render

ALL = ("rgb", "depth", "segmentation")


def difference(a, b) -> float:
    """Mean absolute difference of two colour pictures, in 1/255."""
    return float(abs(a.rgb.astype(np.int16) - b.rgb).mean())


@pytest.mark.parametrize("knob", of(Touches.PICTURE, Touches.SENSOR))
def test_what_is_seen_changes_and_nothing_else(studio, knob):
    clean = studio.picture({}, SEED, modalities=ALL)
    state = studio.backend.read_state()
    for level in levels_of(KNOBS[knob]) if KNOBS[knob].sets else (5,):
        seen = studio.picture({knob: level}, SEED, modalities=ALL)
        assert studio.backend.read_state() == state
        assert (seen.segmentation == clean.segmentation).all() and (seen.depth == clean.depth).all()
        assert difference(seen, clean) > 0.05
    again = studio.picture({}, SEED, modalities=ALL)
    assert all((getattr(again, name) == getattr(clean, name)).all() for name in ALL), "the way back is exact"


@pytest.mark.parametrize("knob", graded(Touches.PICTURE, Touches.SENSOR))
def test_the_picture_changes_more_with_every_severity(studio, knob):
    clean = studio.picture({}, SEED)
    effect = [difference(studio.picture({knob: severity}, SEED), clean) for severity in range(1, 6)]
    assert effect == sorted(set(effect)), effect


def board_corners(scene: core.SceneSpec) -> np.ndarray:
    """float64[8, 3]: corners of the slab in W; the board of the clean stage is turned by half a turn."""
    half, thickness = scene.board.width / 2, scene.board.thickness
    signs = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 0)])
    return np.array(scene.board.X_WB.p) + signs * (half, half, thickness)


def outline(points: np.ndarray) -> np.ndarray:
    """The convex hull of points float64[N, 2], in order (Andrew's monotone chain)."""
    points = points[np.lexsort(points.T[::-1])]
    chains = []
    for order in (points, points[::-1]):
        chain: list[np.ndarray] = []
        for p in order:
            while len(chain) > 1 and np.linalg.det([chain[-1] - chain[-2], p - chain[-2]]) <= 0:
                chain.pop()
            chain.append(p)
        chains += chain[:-1]
    return np.array(chains)


def farthest_wrong(segmentation: np.ndarray, corners: np.ndarray) -> float:
    """How far (px) the worst pixel is on the wrong side of the outline of the slab's projected corners.

    A pixel shows what its middle sees, so an outline that is off by no more than this would explain all.
    """
    polygon = outline(corners)
    pixels = np.stack(np.meshgrid(*map(np.arange, segmentation.shape), indexing="ij"), axis=-1).astype(float)
    inside = np.full(segmentation.shape, -np.inf)
    distance = np.full(segmentation.shape, np.inf)
    for p, q in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        length = np.linalg.norm(q - p)
        along = (q - p) / length
        d = (pixels - p) @ np.array([along[1], -along[0]])  # outside is positive
        t = np.clip((pixels - p) @ along, 0, length)
        inside = np.maximum(inside, d)
        distance = np.minimum(distance, np.linalg.norm(pixels - p - t[..., None] * along, axis=-1))
    hidden = (segmentation >= SegmentationId.STONE) | np.isin(
        segmentation, (SegmentationId.ROBOT, SegmentationId.GRIPPER)
    )
    wrong = ((segmentation == SegmentationId.BOARD) != (inside < 0)) & ~hidden
    return float(distance[wrong].max(initial=0.0))


def in_world(made: Episode, name: str) -> CameraSpec:
    """A camera of the scene with its pose in W at reset, by kinematics, also of the one on the hand."""
    camera = next(camera for camera in made.scene.cameras if camera.name == name)
    if camera.parent == "world":
        return camera
    p_WT, R_WT = Kinematics(made.scene.robot).tool_pose(made.state.joint_positions.astype(float))
    eye = p_WT + R_WT @ (np.array(camera.eye) - TOOL_IN_HAND)  # T is the hand's frame, moved along its z
    return replace(
        camera, parent="world", eye=eye, forward=R_WT @ camera.forward, up=R_WT @ np.array(camera.up)
    )


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("knob", of(Touches.CAMERA))
def test_cameras_stand_where_the_pinhole_model_says(sharp, knob, camera):
    clean, _ = sharp.reset({}, SEED)
    still = project(in_world(clean, camera), board_corners(clean.scene), (256, 256))
    moves = []
    for severity in range(1, 6):
        episode, _ = sharp.reset({knob: severity}, SEED)
        assert episode.state == clean.state and sharp.backend.read_state() == clean.state
        assert replace(episode.scene, cameras=()) == replace(clean.scene, cameras=())
        segmentation = sharp.backend.render(camera, ("segmentation",)).segmentation
        corners = project(in_world(episode, camera), board_corners(episode.scene), (256, 256))
        assert (segmentation == SegmentationId.BOARD).sum() > 2400
        assert farthest_wrong(segmentation, corners) <= 0.2
        moves.append(float(np.linalg.norm(corners - still, axis=1).mean()))
    assert moves == sorted(set(moves)) and moves[0] > 0.2, moves


@pytest.mark.parametrize("knob", [name for name, knob in KNOBS.items() if knob.per_camera])
def test_a_knob_of_one_camera_leaves_the_others_alone(studio, knob):
    clean = {camera: studio.picture({}, SEED, camera=camera) for camera in ("head", "wrist")}
    everywhere = studio.picture({knob: 5}, SEED, camera="wrist")
    named = {camera: studio.picture({f"{knob}@wrist": 5}, SEED, camera=camera) for camera in clean}
    assert (named["head"].rgb == clean["head"].rgb).all()
    assert (named["wrist"].rgb != clean["wrist"].rgb).any()
    assert (named["wrist"].rgb == everywhere.rgb).all(), "the draw of a camera is its own"


@pytest.mark.parametrize("knob", of(Touches.LAYOUT, Touches.SHAPE, Touches.OBJECTS, Touches.ROBOT))
def test_what_moves_is_seen_to_move(studio, knob):
    clean = studio.picture({}, SEED, modalities=ALL)
    moved = studio.picture({knob: highest(knob)}, SEED, modalities=ALL)
    assert (moved.depth != clean.depth).any()
    again = studio.picture({}, SEED, modalities=ALL)
    assert all((getattr(again, name) == getattr(clean, name)).all() for name in ALL), "the way back is exact"


def test_noise_is_new_in_every_picture_and_the_same_in_both_engines(make_env):
    grain = []
    for backend in ("mujoco", "robotwin"):
        env = make_env(backend, cameras=("head",), image_size=(96, 96), perturbations={"gaussian_noise": 3})
        plain = make_env(backend, cameras=("head",), image_size=(96, 96))
        observation, _ = env.reset(seed=SEED)
        plain.reset(seed=SEED)
        first = observation["images"]["head"]
        assert (env.render() == first).all(), "the same picture twice is the same"
        env.step(env.hold_action())
        plain.step(plain.hold_action())
        second = env.render().astype(int) - plain.render()
        grain.append(second)
        assert (second != first.astype(int) - plain.render()).any()
    shared = (abs(grain[0]) < 60) & (abs(grain[1]) < 60)
    assert (abs(grain[0] - grain[1])[shared] <= 1).mean() > 0.99


def test_every_camera_can_be_drawn_under_everything(studio):
    for camera in CAMERAS:
        picture = studio.picture("all", SEED, camera=camera, modalities=ALL)
        assert picture.rgb.std() > 5 and np.isfinite(picture.depth).all()
