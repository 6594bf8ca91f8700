"""K and extrinsics in observations: a stone is seen where they say, in both engines, by moved cameras."""

import numpy as np
import pytest

import core
from bomb.models.requests import Request
from core.errors import UnknownNameError
from core.rendering.observation import MODALITIES
from core.rendering.sight import Sight
from tests.conftest import BACKENDS, wave

pytestmark = pytest.mark.render
CAMERAS = ("head", "wrist")
STONE = core.SegmentationId.STONE


@pytest.fixture(scope="module", params=BACKENDS)
def measuring(request):
    """Two cameras, turned and zoomed as the episode has it."""
    env = core.make_task(
        backend=request.param, cameras=CAMERAS, image_size=(96, 160), split="ci",
        modalities=("segmentation", "intrinsics", "extrinsics"),
        perturbations={"camera_fov": 5, "camera_orbit": 4},
    )  # fmt: skip
    yield env
    env.close()


def where(observation: dict, camera: str, point: np.ndarray) -> np.ndarray:
    """(column, row) of a point of the robot's base frame, by what the observation tells."""
    K, X_CR = observation["intrinsics"][camera], observation["extrinsics"][camera]
    u, v, w = K @ (X_CR[:3, :3] @ point + X_CR[:3, 3])
    return np.array([u, v]) / w


def test_a_stone_is_seen_where_they_say(measuring):
    observation, _ = measuring.reset(seed=3)
    assert set(observation) == {"segmentation", "intrinsics", "extrinsics", "state", "instruction"}
    assert measuring.observation_space.contains(observation)
    base = measuring.episode.scene.robot.X_WR
    x, y, z = (measuring.episode.state.stone_poses[:, :3].astype(float) - base.p).T
    assert np.allclose(base.q, (0.5**0.5, 0, 0, 0.5**0.5))  # a quarter turn: R's x axis is W's y axis
    stones = np.stack([y, -x, z], axis=1)
    seen = observation["segmentation"]["head"]
    found = [where(observation, "head", stone) for stone in stones]
    inside = [(u, v) for u, v in found if 2 <= u <= 157 and 2 <= v <= 93]
    assert inside
    hit = [seen[round(v), round(u)] >= STONE for u, v in inside]
    assert np.mean(hit) > 0.9, (inside, hit)
    # Every pixel of the marks of stones is near a stone that was told.
    rows, columns = np.nonzero(seen >= STONE)
    away = np.linalg.norm(np.stack([columns, rows], 1)[:, None] - np.array(found)[None], axis=-1).min(1)
    assert away.max() < 8


def test_a_camera_on_the_hand_goes_with_it_and_its_lens_stays(measuring):
    before, _ = measuring.reset(seed=3)
    for step in range(3):
        after, *_ = measuring.step(wave(step))
    for name in CAMERAS:
        assert (before["intrinsics"][name] == after["intrinsics"][name]).all()
    assert (before["extrinsics"]["head"] == after["extrinsics"]["head"]).all()
    assert np.abs(before["extrinsics"]["wrist"] - after["extrinsics"]["wrist"]).max() > 1e-3
    moved = before["extrinsics"]["wrist"][:3, :3] @ before["state"][:3] + before["extrinsics"]["wrist"][:3, 3]
    again = after["extrinsics"]["wrist"][:3, :3] @ after["state"][:3] + after["extrinsics"]["wrist"][:3, 3]
    # The tool centre point is where it always is in the hand's picture.
    assert np.abs(moved - again).max() < 1e-4


def test_models_count_pixels_from_the_edge(measuring):
    observation, _ = measuring.reset(seed=0)
    K, told = observation["intrinsics"]["head"], Request.from_observation(observation).intrinsics["head"]
    assert (K[:2, 2] == (79.5, 47.5)).all() and (told[:2, 2] == (80, 48)).all() and told[0, 0] == K[0, 0]


def test_they_are_no_pictures(measuring):
    assert set(MODALITIES) >= {"intrinsics", "extrinsics"}
    measuring.reset(seed=0)
    with pytest.raises(UnknownNameError, match="kind of picture"):
        measuring.render_camera("head", ("intrinsics",))
    observation = measuring.observe()
    Sight(cameras=("head",), modalities=("intrinsics",)).check_observation("p", observation)
    only = {name: observation[name] for name in ("intrinsics", "state", "instruction")}
    Sight(cameras=("head",), image_size=(48, 64), modalities=("intrinsics",)).check_observation("p", only)
