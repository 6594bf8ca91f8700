"""Scene, state and meshes: frozen, hashable, and as large as they say."""

import dataclasses

import numpy as np
import pytest
import trimesh

from core.errors import StateError, UnknownNameError
from core.world.bodies import parked_pose, static_bodies, stone_visual
from core.world.meshes import box_mesh, stone_collision_vertices, stone_mesh
from core.world.robot import JOINT_NAMES, panda, panda_folder, robot_hull
from core.world.scene import BoardSpec, SegmentationId, StoneSpec
from core.world.stage import clean_scene
from core.world.state import SceneState
from core.world.textures import board_texture, make_texture, srgb_decode, srgb_encode
from tasks.place_stone import PlaceStone

STONE = StoneSpec(color="black")


def test_a_scene_is_frozen_and_a_key():
    scene = clean_scene(("head",))
    assert hash(scene) == hash(clean_scene(("head",))) and scene == clean_scene(("head",))
    with pytest.raises(dataclasses.FrozenInstanceError):
        scene.table = None


def test_unknown_camera():
    with pytest.raises(UnknownNameError, match="front, head, wrist"):
        clean_scene(("top",))


def test_the_stone_is_a_puck_of_22_by_8_mm():
    vertices = stone_collision_vertices(STONE)
    assert vertices.shape == (128, 3)
    assert vertices.min(axis=0) == pytest.approx([-0.011, -0.011, -0.004])
    assert vertices.max(axis=0) == pytest.approx([0.011, 0.011, 0.004])
    hull = trimesh.convex.convex_hull(vertices)
    assert len(hull.vertices) == 128, "every point is on the hull"


def test_drawn_meshes_are_closed_and_face_outward():
    for mesh, volume in (
        (box_mesh((0.1, 0.2, 0.3)), 0.048),
        (stone_mesh(STONE), trimesh.convex.convex_hull(stone_collision_vertices(STONE)).volume),
    ):
        solid = trimesh.Trimesh(mesh.vertices, mesh.faces)
        assert solid.is_watertight and solid.volume == pytest.approx(volume, rel=0.12)
        assert np.linalg.norm(mesh.normals, axis=1) == pytest.approx(1, abs=1e-5)
        centers = mesh.vertices[mesh.faces].mean(axis=1)
        face = np.cross(*(mesh.vertices[mesh.faces][:, k] - mesh.vertices[mesh.faces][:, 0] for k in (1, 2)))
        assert ((face * centers).sum(axis=1) >= -1e-12).all()
        assert ((face[:, None] * mesh.normals[mesh.faces]).sum(axis=2) > 0).all()


def test_the_robots_hulls_are_the_same_from_the_cache_and_from_a_damaged_one(tmp_path, monkeypatch):
    file = panda_folder() / "meshes" / "collision" / "link5.stl"
    monkeypatch.setenv("BOMB_CACHE", str(tmp_path / "cache"))
    made = robot_hull(file)
    (kept,) = (tmp_path / "cache").iterdir()
    assert robot_hull(file).tobytes() == made.tobytes() and len(made) == 48
    kept.write_bytes(kept.read_bytes()[:100])
    assert robot_hull(file).tobytes() == made.tobytes()


def test_board_lines_are_drawn_on_the_intersections():
    board = BoardSpec()
    picture = make_texture(board_texture(board)).astype(int).sum(axis=2)
    scale = picture.shape[0] / board.width
    for row in range(5):
        for column in range(5):
            x = board.width / 2 + (column - 2) * board.pitch
            y = board.width / 2 + (row - 2) * board.pitch
            on_line, off_line = (
                picture[int(y * scale), int(x * scale)],
                picture[int((y - 0.012) * scale), int((x - 0.012) * scale)],
            )
            assert on_line < off_line / 2


def test_srgb_round_trip():
    x = np.linspace(0, 1, 101)
    assert srgb_decode(srgb_encode(x)) == pytest.approx(x, abs=1e-12)
    assert srgb_encode(np.array(0.5)) == pytest.approx(0.735357, abs=1e-6)  # IEC 61966-2-1


def test_unknown_texture():
    from core.world.scene import TextureSpec

    with pytest.raises(UnknownNameError, match="board"):
        make_texture(TextureSpec(name="tartan"))


def test_bodies_have_unique_names_and_stones_their_own_ids():
    scene = clean_scene()
    names = [visual.name for body in static_bodies(scene) for visual in body.visuals]
    assert len(set(names)) == len(names)
    ids = {stone_visual(scene, k).segmentation for k in range(len(scene.stones))}
    assert ids == set(range(SegmentationId.STONE, SegmentationId.STONE + 24))
    assert len({parked_pose(k) for k in range(24)}) == 24


def test_the_robot_is_the_panda():
    robot = panda()
    moving = [joint.name for joint in robot.joints if joint.kind != "fixed"]
    assert tuple(moving) == JOINT_NAMES
    assert next(link.name for link in robot.links) == "panda_link0"
    pads = [robot.link(name).collisions[-1] for name in ("panda_leftfinger", "panda_rightfinger")]
    assert all(pad.half_size == (0.00875, 0.0076, 0.00925) for pad in pads)


def state() -> SceneState:
    return PlaceStone().make_episode(clean_scene(), split="ci", seed=0).state


def test_state_bytes_round_trip():
    assert SceneState.from_bytes(state().to_bytes()) == state()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"joint_positions": np.full(9, np.nan, dtype=np.float32)}, "joint_positions.*not finite"),
        ({"joint_positions": np.zeros(8, dtype=np.float32)}, r"\(8,\)"),
        ({"stone_ids": np.arange(3, dtype=np.int16)}, "stone_poses"),
        ({"stone_ids": None}, "ascending"),
        ({"stone_poses": None}, "unit length"),
    ],
)
def test_bad_states_are_named(change, message):
    good = state()
    if "stone_ids" in change and change["stone_ids"] is None:
        change = {"stone_ids": good.stone_ids[::-1].copy()}
    if "stone_poses" in change:
        change = {"stone_poses": good.stone_poses * 2}
    with pytest.raises(StateError, match=message):
        dataclasses.replace(good, **change).validated()


def test_cut_off_and_foreign_bytes():
    data = state().to_bytes()
    for bad in (b"", data[:5], data[:-1], data + b"x", b"X" + data):
        with pytest.raises(StateError):
            SceneState.from_bytes(bad)


def test_a_backend_refuses_stones_that_the_pool_does_not_have(backend, make_env):
    env = make_env(backend)
    env.reset(seed=0)
    good = env.scene_state
    with pytest.raises(StateError, match="99"):
        env.debug.backend.write_state(
            dataclasses.replace(good, stone_ids=np.array([*good.stone_ids[:-1], 99], dtype=np.int16))
        )
