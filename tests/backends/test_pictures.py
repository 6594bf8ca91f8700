"""Pictures: what they hold, which way is up, and that they never change by themselves."""

import ast
import hashlib
import multiprocessing
import os
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest

import core
from core.board.layout import at_rest
from core.rendering.devices import named_devices
from core.world.rotations import quaternion_about_z
from core.world.scene import TextureSpec
from core.world.stage import clean_scene
from core.world.state import SceneState
from core.world.textures import srgb_decode
from tests.conftest import BACKENDS, PATIENCE_S, play, wave

pytestmark = pytest.mark.render

ALL = ("rgb", "depth", "segmentation")
CAMERAS = ("head", "front", "wrist")
STONE = core.SegmentationId.STONE


def digest(backend: str) -> str:
    """Of all that the head camera sees after a reset and three steps."""
    env = core.make_task(backend=backend, image_size=(96, 96), modalities=ALL, split="ci")
    observation, _ = env.reset(seed=3)
    for step in range(3):
        observation, *_ = env.step(wave(step))
    env.close()
    seen = [observation[key]["head"].tobytes() for key in ("images", "depth", "segmentation")]
    return hashlib.sha256(b"".join(seen)).hexdigest()


@pytest.fixture(scope="module", params=BACKENDS)
def seeing(request):
    """An environment with every camera and modality, shared by the tests of one engine."""
    env = core.make_task(
        backend=request.param, cameras=CAMERAS, image_size=(128, 160), modalities=ALL, split="ci"
    )
    yield env
    env.close()


def stones_at(env, positions: list[tuple[float, float]]) -> SceneState:
    """The robot at home and one stone at each (x, y) of the board frame."""
    scene = env.episode.scene
    count = len(positions)
    p_WB = np.array(scene.board.X_WB.p)
    poses = [[*(p_WB + [-x, -y, 0.004]), *quaternion_about_z(0.0)] for x, y in positions]
    return replace(
        env.episode.state,
        stone_ids=np.arange(count, dtype=np.int16),
        stone_poses=np.array(poses, dtype=np.float32),
        stone_velocities=np.zeros((count, 6), dtype=np.float32),
    ).validated()


def centroid(segmentation: np.ndarray, value: int) -> np.ndarray:
    """(row, column) of the middle of the pixels with ``value``."""
    return np.argwhere(segmentation == value).mean(axis=0)


def test_observation_keys_shapes_and_types(seeing):
    observation, _ = seeing.reset(seed=0)
    assert set(observation) == {"images", "depth", "segmentation", "state", "instruction"}
    for key, shape, dtype in (
        ("images", (128, 160, 3), np.uint8),
        ("depth", (128, 160), np.float32),
        ("segmentation", (128, 160), np.int32),
    ):
        assert set(observation[key]) == set(CAMERAS)
        for picture in observation[key].values():
            assert picture.shape == shape and picture.dtype == dtype
    assert seeing.observation_space.contains(observation)
    assert (seeing.render() == observation["images"]["head"]).all()


def test_row_0_is_at_the_top_and_column_0_on_the_left(seeing):
    seeing.reset(seed=0)
    pitch = 0.055
    seeing.debug.backend.write_state(stones_at(seeing, [(-2 * pitch, 2 * pitch), (2 * pitch, 2 * pitch)]))
    segmentation = seeing.render_camera("head", ("segmentation",)).segmentation
    board = np.argwhere(segmentation == core.SegmentationId.BOARD)
    middle = board.mean(axis=0)
    left, right = centroid(segmentation, STONE), centroid(segmentation, STONE + 1)
    assert left[0] < middle[0] and right[0] < middle[0], "(0, 0) and (0, 4) are above the middle of the board"
    assert left[1] < middle[1] < right[1], "(0, 0) is on the left, (0, 4) on the right"


def test_stones_appear_where_the_pinhole_model_says(seeing):
    from bomb.pictures.views import project

    seeing.reset(seed=0)
    camera = seeing.episode.scene.cameras[0]
    points = [(x, y) for x in (-0.11, 0.0, 0.11) for y in (-0.11, 0.11)]
    seeing.debug.backend.write_state(stones_at(seeing, points))
    image = seeing.render_camera("head", ("segmentation", "depth"))
    for k, (x, y) in enumerate(points):
        p_W = np.array(seeing.episode.scene.board.X_WB.p) + [-x, -y, 0.004]
        expected = project(camera, p_W[None], (128, 160))[0]
        seen = centroid(image.segmentation, STONE + k)
        assert seen == pytest.approx(expected, abs=0.6)
        forward = np.array(camera.forward) / np.linalg.norm(camera.forward)
        distance = (p_W - camera.eye) @ forward
        row, column = np.rint(expected).astype(int)
        assert image.depth[row, column] == pytest.approx(distance, abs=0.008)


def test_only_stones_in_play_are_drawn(seeing):
    seeing.reset(seed=0)
    seeing.debug.backend.write_state(stones_at(seeing, [(0.0, 0.0)]))
    for camera in CAMERAS:
        values = set(np.unique(seeing.render_camera(camera, ("segmentation",)).segmentation))
        assert {value for value in values if value >= STONE} <= {STONE}


def test_segmentation_names_everything_in_view(seeing):
    observation, _ = seeing.reset(seed=2)
    values = set(np.unique(observation["segmentation"]["head"]))
    ids = core.SegmentationId
    assert {ids.TABLE, ids.BOARD, ids.GRIPPER, ids.WALL, ids.FLOOR} <= values
    assert {STONE + k for k in seeing.scene_state.stone_ids} <= values, "all stones are in view at home"


def test_pictures_do_not_change_by_themselves(seeing):
    play(seeing, seed=4, steps=8)
    first = {camera: seeing.render_camera(camera, ALL) for camera in CAMERAS}
    saved = seeing.save_state()
    for step in range(3):
        seeing.step(wave(step))
    seeing.load_state(saved)
    for camera in CAMERAS:
        again = seeing.render_camera(camera, ALL)
        for modality in ALL:
            assert (getattr(again, modality) == getattr(first[camera], modality)).all(), (camera, modality)


def test_pictures_are_the_same_in_a_fresh_process(seeing):
    """Beside another scene in this process, alone in the other."""
    code = f"from tests.backends.test_pictures import digest; print(digest({seeing.backend_name!r}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split()[-1] == digest(seeing.backend_name)


def test_pictures_beside_another_environment(seeing):
    play(seeing, seed=4, steps=6)
    alone = seeing.render()
    other = core.make_task(backend=seeing.backend_name, image_size=(64, 64), split="ci")
    other.reset(seed=9)
    assert (seeing.render() == alone).all()
    other.step(wave(0))
    other.close()
    assert (seeing.render() == alone).all()


def test_only_what_is_asked_for_is_drawn(seeing):
    seeing.reset(seed=0)
    image = seeing.render_camera("front", ("depth",))
    assert image.rgb is None and image.segmentation is None and image.depth is not None


def test_the_wrist_camera_rides_on_the_hand(seeing):
    seeing.reset(seed=0)
    before = seeing.render_camera("wrist").rgb, seeing.render_camera("front").rgb
    for _ in range(10):
        seeing.step(np.array([0, 1, 0, 1], dtype=np.float32))
    assert (seeing.render_camera("wrist").rgb != before[0]).mean() > 0.3
    assert (seeing.render_camera("front").rgb != before[1]).mean() < 0.3


def test_a_camera_that_was_not_asked_for(backend):
    env = core.make_task(backend=backend, image_size=(64, 64), split="ci")
    env.reset(seed=0)
    with pytest.raises(core.RenderError, match="wrist"):
        env.render_camera("wrist")
    env.close()


def test_a_texture_that_is_shrunk_keeps_its_light(backend):
    """Squares of black and white are half as bright as white, however small; of bytes, a fifth."""
    lines = (("light", (1.0, 1.0, 1.0)), ("dark", (0.0, 0.0, 0.0)), ("seed", 0))
    squares = TextureSpec(name="checker", size=(1024, 1024), params=lines)
    scene = clean_scene(("head",))
    lights = tuple(
        replace(light, color=((0.5 if light.kind == "ambient" else 0.0),) * 3) for light in scene.lights
    )
    material = replace(scene.table.material, texture=squares, color=(1.0, 1.0, 1.0))
    scene = replace(scene, table=replace(scene.table, material=material), lights=lights)
    seen = []
    for supersample in (1, 8):
        world = core.registry.BACKENDS.load(backend)()
        world.build(scene, image_size=(24, 24), supersample=supersample)
        world.reset(scene, at_rest(scene, {}))
        image = world.render("head", ("rgb", "segmentation"))
        seen.append(srgb_decode(image.rgb[image.segmentation == core.SegmentationId.TABLE] / 255).mean())
        world.close()
    far, near = seen
    assert far == pytest.approx(near, rel=0.05)


def test_without_cameras_there_is_nothing_to_render(backend, make_env):
    env = make_env(backend)
    env.reset(seed=0)
    with pytest.raises(core.RenderError, match="without cameras"):
        env.render()


def test_a_second_thread_gets_an_error(seeing):
    seeing.reset(seed=0)
    caught = []

    def render():
        for call in (seeing.render, lambda: seeing.step(wave(0)), lambda: seeing.reset(seed=1), seeing.close):
            try:
                call()
            except core.RenderError as error:
                caught.append(str(error))

    thread = threading.Thread(target=render)
    thread.start()
    thread.join()
    assert len(caught) == 4 and all("thread" in message for message in caught)
    seeing.step(wave(0))


def _use_inherited(env, queue) -> None:
    try:
        env.step(wave(0))
        queue.put("no error")
    except core.RenderError as error:
        queue.put(str(error))
    env.close()


@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_forked_child_gets_an_error(seeing):
    seeing.reset(seed=0)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_use_inherited, args=(seeing, queue))
    child.start()
    assert "fork" in queue.get(timeout=PATIENCE_S)
    child.join(timeout=PATIENCE_S)
    assert child.exitcode == 0
    seeing.step(wave(0))


def test_without_a_driver_the_error_says_what_to_install(backend):
    script = (
        "import core\n"
        f"try: core.make_task(backend={backend!r})\n"
        "except core.RenderError as error: print(error)\n"
        f"core.make_task(backend={backend!r}, cameras=()).reset(seed=0); print('runs')"
    )
    environment = {**os.environ, "VK_DRIVER_FILES": "/nowhere.json", "VK_ICD_FILENAMES": "/nowhere.json"}
    environment.pop("BOMB_RENDER", None)
    run = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert "make setup" in run.stdout and "cameras=()" in run.stdout, run.stderr
    assert run.stdout.strip().endswith("runs"), run.stderr


DRAW = """
import hashlib, core
from core.rendering.graphics import engine_devices

def drawn(backend, **options):
    env = core.make_task(backend=backend, image_size=(48, 64), split="ci", **options)
    picture = env.reset(seed=5)[0]["images"]["head"]
    env.close()
    return hashlib.sha256(picture.tobytes()).hexdigest()
"""


def test_a_device_that_is_named_draws_as_it_does_by_default():
    """One child for both engines, whose renderers start on the device that is named."""
    default: dict = {}
    exec(DRAW, default)
    expected = {backend: default["drawn"](backend) for backend in BACKENDS}
    name, device = list(named_devices().items())[-1]
    code = DRAW + f"print({{backend: drawn(backend, device={name!r}) for backend in {BACKENDS!r}}})\n"
    code += "print(engine_devices())\n"
    code += f"core.make_task(backend={BACKENDS[0]!r}, device='gpu:99')"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S)
    pictures, taken = map(ast.literal_eval, run.stdout.splitlines())
    assert pictures == expected
    assert set(taken) == set(BACKENDS) and all(device.name.startswith(on) for on in taken.values())
    valid = ", ".join(sorted(named_devices()))
    assert f"UnknownNameError: unknown graphics device 'gpu:99'; valid: {valid}" in run.stderr
