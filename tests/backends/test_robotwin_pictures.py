"""What SAPIEN draws: units, geometry, identities, and the same bytes for the same state."""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from backends.robotwin import RobotwinBackend
from backends.robotwin.options import COLOR_SHADER
from backends.robotwin.reflectance import table_in
from backends.robotwin.shaders import SHADERS, UnknownShadersError, lean_shaders
from core.world.cache import cache_folder
from core.world.rotations import Pose, compose
from core.world.scene import CameraSpec, LightSpec, MaterialSpec, SegmentationId, TextureSpec
from core.world.stage import clean_scene
from core.world.state import SceneState
from core.world.textures import srgb_decode

pytestmark = pytest.mark.render

ALL = ("rgb", "depth", "segmentation")
SCENE = clean_scene(("head", "wrist"))
DOWN = CameraSpec(name="down", eye=(0.35, 0.0, 1.74), forward=(0.0, 0.0, -1.0), up=(0.0, 1.0, 0.0))
ALOFT = np.array([0.0, -1.2, 0.0, -2.4, 0.0, 1.2, 0.78, 0.024, 0.024])


def state(stones: dict[int, tuple[float, float, float]] | None = None, joints=ALOFT) -> SceneState:
    stones = dict(sorted((stones or {}).items()))
    poses = np.zeros((len(stones), 7), dtype=np.float32)
    poses[:, 3] = 1
    if stones:
        poses[:, :3] = list(stones.values())
    return SceneState(
        joint_positions=np.asarray(joints, dtype=np.float32),
        joint_velocities=np.zeros(9, dtype=np.float32),
        stone_ids=np.array(list(stones), dtype=np.int16),
        stone_poses=poses,
        stone_velocities=np.zeros((len(stones), 6), dtype=np.float32),
    )


def on_board(row: int, column: int) -> tuple[float, float, float]:
    """Where a stone lies on an intersection, in W."""
    board = SCENE.board
    p_B = ((column - 2) * board.pitch, (2 - row) * board.pitch, SCENE.stones[0].height / 2)
    return compose(board.X_WB, Pose(p_B)).p


@pytest.fixture
def built():
    made = []

    def build(scene=SCENE, *, size=(128, 128), supersample=1, start=None) -> RobotwinBackend:
        backend = RobotwinBackend()
        made.append(backend)
        backend.build(scene, image_size=size, supersample=supersample)
        backend.reset(scene, state() if start is None else start)
        return backend

    yield build
    for backend in made:
        backend.close()


def fingerprint(image) -> str:
    return hashlib.sha256(b"".join(getattr(image, name).tobytes() for name in ALL)).hexdigest()


def test_the_kept_table_of_reflectance_is_sapiens_own(built, monkeypatch, tmp_path):
    start = state(SCATTERED)
    with_ours = fingerprint(built(start=start).render("head", ALL))
    monkeypatch.setattr("backends.robotwin.render.reflectance_texture", lambda: None)
    assert fingerprint(built(start=start).render("head", ALL)) == with_ours  # SAPIEN has made its own here
    made = table_in(tmp_path / "table.npy")
    (tmp_path / "table.npy").write_bytes((tmp_path / "table.npy").read_bytes()[:5000])
    assert np.array_equal(table_in(tmp_path / "table.npy"), made)
    assert np.array_equal(np.load(tmp_path / "table.npy"), made)
    kept = [np.load(file) for file in cache_folder().glob("reflectance_*.npy")]  # of several drivers
    assert not kept or any(np.array_equal(table, made) for table in kept)  # a GPU needs none


SUNS = [(0.2, -0.5, -1.0), (0.9, -0.3, -1.0), (0.1, 0.3, -1.0)]  # ours, from the side, from behind the wall


def test_edited_shaders_and_the_underside_of_the_wall_draw_what_sapien_would(built, monkeypatch):
    tilted = replace(SCENE.cameras[0], eye=(0.2, 0.4, 1.5), up=(0.2, 0.0, 1.0))
    suns = [light for light in SCENE.lights if light.kind == "directional"]
    others = tuple(light for light in SCENE.lights if light.kind != "directional")
    scenes = [
        replace(SCENE, cameras=(tilted, SCENE.cameras[1]), lights=(*others, replace(suns[0], direction=sun)))
        for sun in SUNS
    ]

    def drawn() -> list[str]:
        backend, pictures = built(size=(256, 256), start=state(SCATTERED)), []
        for scene in scenes:
            backend.dress(scene)
            pictures += [fingerprint(backend.render(camera, ALL)) for camera in ("head", "wrist")]
        return pictures

    ours = drawn()
    assert len(set(ours)) == len(ours)
    monkeypatch.setattr("backends.robotwin.render.color_shader", lambda: SHADERS / COLOR_SHADER)
    monkeypatch.setattr("backends.robotwin.render._IN_FRONT", 2.0)  # all of the wall casts, always
    assert drawn() == ours


@pytest.mark.parametrize(
    ("file", "word"),
    [
        ("deferred.frag", "samplerEmission"),
        ("gbuffer.frag", "outCustom"),
        ("../common/shadow.glsl", "Gather"),
    ],
)
def test_shaders_that_are_not_as_expected_are_not_edited(monkeypatch, tmp_path, file, word):
    installed = tmp_path / "installed"
    for name in ("common", COLOR_SHADER):
        shutil.copytree(SHADERS / name, installed / name)
    monkeypatch.setattr("backends.robotwin.shaders.SHADERS", installed)
    assert (lean_shaders(tmp_path / "lean") / "deferred.frag").is_file()
    changed = installed / COLOR_SHADER / file
    changed.write_text(changed.read_text().replace(word, "Another"))
    with pytest.raises(UnknownShadersError):
        lean_shaders(tmp_path / "again")


SCATTERED = {0: on_board(0, 0), 7: on_board(3, 4), 12: (0.3, 0.1, 0.744), 23: (-0.3, -0.1, 0.744)}


def test_same_state_same_bytes_after_other_frames_and_in_a_second_scene(built):
    first = built(start=state(SCATTERED), supersample=2)
    fresh = [fingerprint(first.render(camera, ALL)) for camera in ("head", "wrist")]
    first.write_state(state({k: (0.02 * k - 0.2, 0.1, 0.8) for k in range(24)}, joints=ALOFT * 0.9))
    first.render("head", ALL)
    first.write_state(state(SCATTERED))
    assert [fingerprint(first.render(camera, ALL)) for camera in ("head", "wrist")] == fresh
    second = built(start=state(SCATTERED), supersample=2)
    assert [fingerprint(second.render(camera, ALL)) for camera in ("head", "wrist")] == fresh


def test_a_live_state_and_the_same_state_written_look_the_same(built):
    backend = built(start=state({0: (0.3, 0.1, 0.78), 13: (0.25, 0.1, 0.80)}))
    backend.step(np.tile(ALOFT * 0.97, (60, 1)))
    live = fingerprint(backend.render("head", ALL))
    backend.write_state(backend.read_state())
    assert fingerprint(backend.render("head", ALL)) == live


def test_head_shows_row_0_at_the_top_and_column_0_on_the_left(built):
    corners = {0: (0, 0), 1: (0, 4), 2: (4, 0), 3: (4, 4)}
    backend = built(start=state({k: on_board(*at) for k, at in corners.items()}))
    segmentation = backend.render("head", ("segmentation",)).segmentation
    middle = {k: np.argwhere(segmentation == SegmentationId.STONE + k).mean(axis=0) for k in corners}
    assert middle[0][0] < middle[2][0]
    assert middle[1][0] < middle[3][0]
    assert middle[0][1] < middle[1][1]
    assert middle[2][1] < middle[3][1]


def test_board_lines_lie_on_the_intersections(built):
    """The texture is not mirrored: seen from above, the lines cross where stones belong."""
    board = SCENE.board
    camera = replace(
        DOWN, eye=(*board.X_WB.p[:2], 1.75), up=(0.0, -1.0, 0.0), fovy=2 * np.arctan(board.width / 2)
    )
    lights = (LightSpec(name="ambient", kind="ambient", color=(1.0, 1.0, 1.0)),)
    labelled = replace(SCENE, cameras=(camera,), lights=lights, board=replace(board, labels=True))
    rgb = built(labelled, size=(270, 270), supersample=2).render("down", ("rgb",)).rgb  # 1 mm per pixel
    ink = rgb.sum(axis=2) < 330
    for row in range(5):
        for column in range(5):
            i, j = 135 + (row - 2) * 55, 135 + (column - 2) * 55
            assert ink[i - 1 : i + 1, j - 1 : j + 1].any(), (row, column)
            assert not ink[i + 3 : i + 52, j + 3 : j + 52].any() or 4 in (row, column)
    # Letters run along the top, numbers down the left; nothing stands on the other two sides.
    assert ink[5:20].sum() > 50
    assert ink[:, 5:20].sum() > 50
    assert ink[-20:-5].sum() == 0
    assert ink[:, -20:-5].sum() == 0


def test_segmentation_names_what_is_there_and_parked_stones_are_nowhere(built):
    backend = built(start=state(SCATTERED))
    image = backend.render("head", ("segmentation",)).segmentation
    stones = set(np.unique(image[image >= SegmentationId.STONE]) - SegmentationId.STONE)
    assert stones == set(SCATTERED)
    assert {SegmentationId.TABLE, SegmentationId.BOARD, SegmentationId.FLOOR} <= set(np.unique(image))
    backend.write_state(state())
    assert backend.render("head", ("segmentation",)).segmentation.max() < SegmentationId.STONE


def test_depth_is_along_the_optical_axis(built):
    sky = replace(DOWN, name="sky", forward=(0.0, 1.0, 1.0), up=(0.0, 0.0, 1.0), far=7.0)
    backend = built(replace(SCENE, cameras=(DOWN, sky)), size=(64, 96), supersample=2)
    image = backend.render("down", ("depth", "segmentation"))
    assert image.depth.shape == (64, 96)
    assert image.depth.dtype == np.float32
    np.testing.assert_allclose(image.depth[image.segmentation == SegmentationId.TABLE], 1.0, atol=1e-5)
    assert (backend.render("sky", ("depth",)).depth == 7.0).all()


def _radiance(built, light: LightSpec, material: MaterialSpec) -> np.ndarray:
    """Linear colour of a table of ``material`` under ``light``, below the camera."""
    scene = replace(SCENE, cameras=(DOWN,), lights=(light,), table=replace(SCENE.table, material=material))
    rgb = built(scene, size=(64, 64)).render("down", ("rgb",)).rgb
    return srgb_decode(rgb[30:34, 30:34].reshape(-1, 3) / 255).mean(axis=0)


MATTE = MaterialSpec(color=(0.8, 0.5, 0.3), roughness=1.0, specular=0.0)


@pytest.mark.parametrize(
    ("light", "expected"),
    [
        (LightSpec(name="a", kind="ambient", color=(0.5, 0.41, 0.3)), np.array([0.5, 0.41, 0.3])),
        (LightSpec(name="d", kind="directional", color=(2.0, 1.0, 1.0)), np.array([2.0, 1.0, 1.0]) / np.pi),
        (
            LightSpec(name="d", kind="directional", color=(2.0, 2.0, 2.0), direction=(1.0, 0.0, -1.0)),
            np.full(3, np.sqrt(2) / np.pi),
        ),
        (
            LightSpec(name="p", kind="point", color=(4.0, 4.0, 4.0), position=(0.35, 0.0, 2.24)),
            np.full(3, 4 / 1.5**2 / np.pi),
        ),
    ],
)
def test_lights_have_the_units_of_the_scene(built, light, expected):
    np.testing.assert_allclose(_radiance(built, light, MATTE), expected * MATTE.color, rtol=0.02)


def test_texture_is_multiplied_with_the_colour(built):
    light = LightSpec(name="ambient", kind="ambient", color=(1.0, 1.0, 1.0))
    wood = replace(MATTE, color=(1.0, 1.0, 1.0), texture=TextureSpec(name="wood"))
    ratio = _radiance(built, light, replace(wood, color=(0.5, 0.7, 0.9))) / _radiance(built, light, wood)
    np.testing.assert_allclose(ratio, (0.5, 0.7, 0.9), rtol=0.03)


def test_edits_in_place_look_like_a_scene_built_anew(built):
    red = MaterialSpec(color=(0.5, 0.02, 0.02), roughness=0.2)
    sun = replace(SCENE.lights[1], color=(0.5, 0.7, 1.5), direction=(-0.3, 0.2, -1.0))
    edited = replace(
        SCENE,
        table=replace(SCENE.table, material=red),
        board=replace(SCENE.board, X_WB=Pose((0.03, -0.17, 0.75), SCENE.board.X_WB.q), labels=True),
        stones=tuple(replace(stone, material=replace(red, metallic=1.0)) for stone in SCENE.stones),
        lights=(replace(SCENE.lights[0], color=(0.2, 0.25, 0.3)), sun, *SCENE.lights[2:]),
        cameras=(replace(SCENE.cameras[0], fovy=0.9, eye=(0.1, 0.6, 1.5)), SCENE.cameras[1]),
    )
    start = state(SCATTERED)
    backend = built(start=start)
    clean = fingerprint(backend.render("head", ALL))
    backend.reset(edited, start)
    assert fingerprint(backend.render("head", ALL)) == fingerprint(
        built(edited, start=start).render("head", ALL)
    )
    backend.reset(SCENE, start)
    assert fingerprint(backend.render("head", ALL)) == clean


def test_a_shadow_is_cast(built):
    """A stone in the air darkens the table where the sun's ray through it ends, and only there."""
    sun = LightSpec(
        name="sun", kind="directional", color=(2.0, 2.0, 2.0), direction=(1.0, 0.0, -1.0), cast_shadow=True
    )
    scene = replace(SCENE, cameras=(DOWN,), lights=(sun,), table=replace(SCENE.table, material=MATTE))
    backend = built(scene, size=(128, 128), start=state({0: (0.25, 0.0, 0.84)}))
    before = backend.render("down", ("rgb",)).rgb.astype(int)
    backend.write_state(state())
    dark = np.argwhere((backend.render("down", ("rgb",)).rgb.astype(int) - before).sum(axis=2) > 100)
    pixels_per_meter = 64 / np.tan(DOWN.fovy / 2)
    shadow = dark[np.linalg.norm(dark - 63.5, axis=1) < 0.03 * pixels_per_meter]
    assert np.abs(shadow.mean(axis=0) - 63.5).max() < 0.004 * pixels_per_meter


def test_without_a_driver_the_message_says_what_to_do():
    code = (
        "from backends.robotwin import RobotwinBackend; from core.errors import RenderError\n"
        "from core.world.stage import clean_scene\n"
        "try: RobotwinBackend().build(clean_scene(('head',)), image_size=(8, 8), supersample=1)\n"
        "except RenderError as error: print(error)\n"
        "RobotwinBackend().build(clean_scene(), image_size=(8, 8), supersample=1); print('physics works')"
    )
    environment = {**os.environ, "VK_DRIVER_FILES": "/nowhere.json", "VK_ICD_FILENAMES": "/nowhere.json"}
    environment.pop("BOMB_RENDER", None)
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert "make setup" in run.stdout
    assert "cameras=()" in run.stdout
    assert "physics works" in run.stdout
