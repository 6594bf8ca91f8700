"""What MuJoCo's pictures promise beyond the contract: units of light, exact colour, the same bytes."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from backends.mujoco import MujocoBackend
from backends.mujoco.options import DRAWING
from core.world.scene import MaterialSpec, SegmentationId, each_stone
from core.world.stage import clean_scene
from core.world.state import JOINTS, SceneState
from core.world.textures import srgb_decode, srgb_encode

pytestmark = pytest.mark.render

SCENE = clean_scene(("head", "wrist"))
ALL = ("rgb", "depth", "segmentation")


def state(*ids: int) -> SceneState:
    """Stones side by side on the board."""
    poses = [[0.04 * k - 0.08, -0.15, 0.754, 1, 0, 0, 0] for k in range(len(ids))]
    return SceneState(
        joint_positions=np.array([*SCENE.robot.home, 0.02, 0.02], dtype=np.float32),
        joint_velocities=np.zeros(JOINTS, dtype=np.float32),
        stone_ids=np.array(ids, dtype=np.int16),
        stone_poses=np.array(poses, dtype=np.float32),
        stone_velocities=np.zeros((len(ids), 6), dtype=np.float32),
    )


@pytest.fixture(scope="module")
def world():
    world = MujocoBackend()
    world.build(SCENE, image_size=(96, 128), supersample=1)
    yield world
    world.close()


def pictures(world) -> bytes:
    images = [world.render(camera, ALL) for camera in ("head", "wrist")]
    return b"".join(getattr(image, name).tobytes() for image in images for name in ALL)


def test_equal_states_give_equal_bytes_after_other_frames_and_edits(world):
    world.reset(SCENE, state(0, 3, 13))
    before = pictures(world)
    dressed = replace(
        SCENE,
        lights=tuple(replace(light, color=(0.5, 0.2, 0.1)) for light in SCENE.lights),
        board=replace(SCENE.board, wood_color=(0.1, 0.4, 0.1)),
        wall=replace(SCENE.wall, material=MaterialSpec(color=(0.1, 0.2, 0.7), metallic=1.0)),
    )
    world.reset(dressed, state(1, 20))
    assert pictures(world) != before
    world.reset(SCENE, state(0, 3, 13))
    assert pictures(world) == before


def test_only_what_was_asked_for_is_drawn(world):
    world.reset(SCENE, state(0))
    image = world.render("head", ("depth",))
    assert image.rgb is None and image.segmentation is None
    assert image.depth.dtype == np.float32 and image.depth.shape == (96, 128)


def test_stones_not_in_play_are_not_drawn(world):
    world.reset(SCENE, state(2, 14))
    segmentation = world.render("head", ("segmentation",)).segmentation
    assert set(segmentation[segmentation >= SegmentationId.STONE]) == {16 + 2, 16 + 14}


def test_lights_mean_what_the_scene_says(world):
    """A rough wall: albedo times ambient radiance, and albedo times E cos / pi of the sun."""
    albedo, rough = 0.5, MaterialSpec(color=(0.5, 0.5, 0.5), roughness=1.0)
    floor, wall = replace(SCENE.floor, material=rough), replace(SCENE.wall, material=rough)

    def radiance(ambient: float, sun: float) -> float:
        lights = []
        for light in SCENE.lights:
            strength = {"ambient": ambient, "directional": sun}.get(light.kind, 0.0)
            lights.append(replace(light, color=(strength,) * 3, direction=(0.0, -0.8, -0.6)))
        world.reset(replace(SCENE, floor=floor, wall=wall, lights=tuple(lights)), state(0))
        image = world.render("head", ("rgb", "segmentation"))
        seen = image.rgb[image.segmentation == SegmentationId.WALL]
        return float(srgb_decode(np.median(seen) / 255))

    # Both a little brighter: a rough dielectric has a faint sheen besides.
    assert radiance(0.6, 0.0) == pytest.approx(albedo * 0.6 * DRAWING.ambient_diffuse, rel=0.04)
    assert radiance(0.0, 2.0) == pytest.approx(albedo * 2.0 * 0.8 / np.pi, rel=0.06)


def test_light_from_everywhere_has_a_colour_and_can_be_changed(world):
    """Under a tinted sky alone, white surfaces of every direction have its colour, whatever shone before.

    These mirror nothing, so that what is given back for that in the mean is too much for them.
    """
    plain = MaterialSpec(color=(1.0, 1.0, 1.0), roughness=1.0, specular=0.0)
    floor, wall = replace(SCENE.floor, material=plain), replace(SCENE.wall, material=plain)
    for tint in ((0.6, 0.3, 0.1), (0.0, 0.0, 0.0), (0.2, 0.4, 0.5)):
        lights = tuple(
            replace(light, color=tint if light.kind == "ambient" else (0.0, 0.0, 0.0))
            for light in SCENE.lights
        )
        world.reset(replace(SCENE, floor=floor, wall=wall, lights=lights), state(0))
        image = world.render("head", ("rgb", "segmentation"))
        for surface in (SegmentationId.FLOOR, SegmentationId.WALL):
            seen = srgb_decode(np.median(image.rgb[image.segmentation == surface], axis=0) / 255)
            assert seen == pytest.approx(DRAWING.ambient_diffuse * np.array(tint), abs=0.01)


def test_colour_is_exact_to_a_level_and_a_half(world):
    """Against the same frame drawn in floating point, which the renderer has for one channel only.

    Half a level is rounding; a step of the coarse exposure is 2.6 levels where it is still used.
    """
    world.reset(SCENE, state(0, 1, 13, 14))
    rgb = world.render("head", ("rgb",)).rgb
    red = world.pictures.draw_red("head")
    assert abs(srgb_encode(red.astype(np.float64)) * 255 - rgb[..., 0]).max() <= 1.8


def test_what_is_surely_bright_is_left_out_of_the_second_exposure_without_a_trace(world, monkeypatch):
    """In the clean scene, in a dim one, and where the sky has one colour."""

    def drawn() -> list[np.ndarray]:
        frames = []
        for tint in ((0.35, 0.35, 0.35), (0.08, 0.08, 0.08), (0.6, 0.02, 0.3)):
            lights = tuple(replace(one, color=tint) if one.kind == "ambient" else one for one in SCENE.lights)
            world.reset(replace(SCENE, lights=lights), state(0, 1, 13, 14))
            frames += [world.render(camera, ("rgb",)).rgb for camera in ("head", "wrist")]
        return frames

    ours = drawn()
    world.reset(SCENE, state(0, 1, 13, 14))
    assert 1 < len(world.pictures.surely_bright()) < 60
    monkeypatch.setattr(type(world.pictures), "surely_bright", lambda _: [])
    assert all((one == other).all() for one, other in zip(ours, drawn(), strict=True))


def test_a_sun_behind_the_wall_puts_the_floor_before_it_in_shade(world):
    brightness = []
    for sun, casts in (
        ((0.1, 0.3, -1.0), False),
        ((0.1, 0.3, -1.0), True),
        (SCENE.lights[1].direction, True),
    ):
        lights = tuple(
            replace(one, direction=sun, cast_shadow=casts) if one.kind == "directional" else one
            for one in SCENE.lights
        )
        world.reset(replace(SCENE, lights=lights), state(0))
        image = world.render("head", ("rgb", "segmentation"))
        rows, columns = np.nonzero(image.segmentation == SegmentationId.FLOOR)
        farthest = rows == rows.min()
        brightness.append(srgb_decode(image.rgb[rows[farthest], columns[farthest]] / 255).mean())
    assert brightness[1] < 0.8 * min(brightness[0], brightness[2])


def test_what_casts_the_robots_shadow_is_not_seen_and_is_all_that_casts_it(world, monkeypatch):
    monkeypatch.setattr("backends.mujoco.render.add_casters", lambda *_: [])
    bare = MujocoBackend()
    bare.build(SCENE, image_size=(96, 128), supersample=1)
    unshadowed = tuple(replace(light, cast_shadow=False) for light in SCENE.lights)
    for scene, darker in ((replace(SCENE, lights=unshadowed), False), (SCENE, True)):
        frames = []
        for backend in (world, bare):
            backend.reset(scene, state(0))
            frames.append(backend.render("wrist", ALL))
        shadowed, lit = frames
        assert (shadowed.depth == lit.depth).all() and (shadowed.segmentation == lit.segmentation).all()
        assert (lit.rgb.mean() > shadowed.rgb.mean() + 0.5) if darker else (lit.rgb == shadowed.rgb).all()
    bare.close()


def test_supersampling_averages_linear_light(world):
    world.reset(SCENE, state(0, 13))
    plain = world.render("head", ALL)
    fine = MujocoBackend()
    fine.build(SCENE, image_size=(96, 128), supersample=2)
    twice = MujocoBackend()
    twice.build(SCENE, image_size=(192, 256), supersample=1)
    for other in (fine, twice):
        other.reset(SCENE, state(0, 13))
    large = srgb_decode(twice.render("head", ("rgb",)).rgb / 255.0)
    expected = srgb_encode(large.reshape(96, 2, 128, 2, 3).mean(axis=(1, 3))) * 255
    image = fine.render("head", ALL)
    assert abs(image.rgb - expected).max() <= 1.5
    assert (image.depth == plain.depth).all() and (image.segmentation == plain.segmentation).all()
    fine.close()
    twice.close()


def test_the_two_shading_models_draw_the_same_and_reflectance_is_free(world):
    """What has some metal in it is drawn by Filament's one model, everything else by the other."""

    def drawn(specular: float = 0.5, metallic: float = 0.0) -> np.ndarray:
        def change(material: MaterialSpec) -> MaterialSpec:
            return replace(material, specular=specular, metallic=metallic)

        stones = each_stone(SCENE.stones, lambda stone: replace(stone, material=change(stone.material)))
        board = replace(SCENE.board, material=change(SCENE.board.material))
        world.reset(replace(SCENE, stones=stones, board=board), state(0, 13))
        return world.render("head", ("rgb",)).rgb.astype(float)

    clean, other = drawn(), drawn(metallic=1e-7)
    assert 0 < abs(other - clean).max() <= 3 and abs(other - clean).mean() < 0.1
    brightness = [drawn(specular).mean() for specular in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert brightness == sorted(set(brightness))
    assert (drawn() == clean).all()


def test_without_a_driver_the_error_says_what_to_install():
    code = (
        "import core\n"
        "try:\n    core.make_task('place_stone', backend='mujoco')\n"
        "except core.RenderError as error:\n    print(error)"
    )
    nowhere = {"VK_DRIVER_FILES": "/nonexistent", "VK_ICD_FILENAMES": "/nonexistent"}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **nowhere}, capture_output=True, text=True
    )
    assert "make setup" in done.stdout and "cameras=()" in done.stdout, done.stderr
