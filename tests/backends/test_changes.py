"""What may change at a reset: every field of a scene, in both engines, against the one table of ``core``.

A change is refused by both in the same words, with nothing moved, or it takes effect in both, and the way
back is exact.
"""

from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest

from core.backend import Capability
from core.errors import CapabilityError, OptionError
from core.registry import BACKENDS as REGISTERED
from core.world.changes import CHANGEABLE
from core.world.kinematics import Kinematics
from core.world.rotations import Pose, quaternion_about_z
from core.world.scene import (
    CameraSpec,
    LightSpec,
    MarkSpec,
    MaterialSpec,
    ObjectSpec,
    SceneSpec,
    TextureSpec,
    each_stone,
)
from core.world.stage import clean_scene
from core.world.state import JOINTS, SceneState
from tests.conftest import BACKENDS

WIDE = CameraSpec(name="wide", eye=(0.7, 1.3, 1.7), forward=(-0.35, -1.0, -0.7), fovy=1.5)
CLEAN = clean_scene(("head",))
SCENE = replace(
    CLEAN,
    cameras=(*CLEAN.cameras, WIDE),
    objects=(ObjectSpec(name="box", shape="box", half_size=(0.03, 0.02, 0.02), X_WO=Pose((0.3, 0.1, 0.77))),),
    marks=(MarkSpec(name="tray", center=(-0.25, -0.17), half_size=(0.045, 0.11)),),
)
TONES = (("light", (0.9, 0.1, 0.1)), ("dark", (0.1, 0.1, 0.9)), ("seed", 3))
STRIPES = TextureSpec(name="stripes", params=TONES)
CARVED = Pose((0.02, -0.16, 0.75), quaternion_about_z(3.0))

# Another value of each field whose name does not say what one would be.
OTHERS = {
    "X_WB": CARVED,
    "X_WO": Pose((0.2, 0.05, 0.77)),
    "X_WR": Pose((0.0, -0.6, 0.75), quaternion_about_z(1.5)),
    "color": (0.05, 0.3, 0.9),
    "wood_color": (0.1, 0.3, 0.2),
    "line_color": (0.9, 0.9, 0.9),
    "direction": (0.9, 0.3, -1.0),
    "position": (0.3, 0.6, 1.4),
    "forward": (0.1, -0.7, -0.8),
    "up": (1.0, 0.0, 1.0),
    "parent": "panda_hand",
    "near": 1.0,
    "far": 1.2,
    "fovy": 0.9,
    "kind": "coin",
    "shape": "cone",
    "texture": STRIPES,
    "name": "other",
    "params": TONES,
    "roughness": 0.05,
    "specular": 1.0,
    "metallic": 1.0,
    "mass": 0.02,
    "inertia": 4e-6,
    "facets": 12,
    "gravity": 6.0,
    "pad_stone": 0.05,
    "surface_stone": 0.05,
}
# Which of several parts shows it: the sun's direction and shadow, a lamp's place.
INDEX = {"lights.direction": 1, "lights.cast_shadow": 1, "lights.position": 2}


def leaves(part: object, path: str) -> list[str]:
    """Paths of all fields, those of nested specifications too."""
    found = []
    for field in fields(part):
        value = getattr(part, field.name)
        found.append(f"{path}.{field.name}")
        if is_dataclass(value):
            found += leaves(value, found[-1])
    return found


def first(value: object) -> object:
    return value[0] if isinstance(value, tuple) else value


PATHS = [path for f in fields(SceneSpec) for path in leaves(first(getattr(SCENE, f.name)), f.name)]


def other(name: str, value: object) -> object:
    """A value of a field that is not its own."""
    if name in OTHERS:
        return OTHERS[name] if value != OTHERS[name] else "go"
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return {"white": "black", "black": "white"}.get(value, f"{value}_2")
    if isinstance(value, int):
        return value + 2
    if isinstance(value, float):
        return value * 0.75
    if is_dataclass(value):
        return replace(value, color=OTHERS["color"])
    return tuple(other("", item) for item in value)


def changed(part: object, names: list[str]) -> object:
    name, *inner = names
    value = getattr(part, name)
    if inner:
        return replace(part, **{name: changed(value, inner)})
    if isinstance(part, TextureSpec) and name == "name":
        return STRIPES
    return replace(part, **{name: other(name, value)})


def changed_scene(path: str) -> SceneSpec:
    """``SCENE`` with another value at ``path``; of stones, all of a kind change together."""
    part, *names = path.split(".")
    before = getattr(SCENE, part)
    if part == "stones":
        return replace(SCENE, stones=each_stone(before, lambda stone: changed(stone, names)))
    if isinstance(before, tuple):
        k = INDEX.get(path, 0)
        after = (*before[:k], changed(before[k], names), *before[k + 1 :])
        return replace(SCENE, **{part: after})
    return replace(SCENE, **{part: changed(before, names)})


def start() -> SceneState:
    """A stone between the closing fingers, one on the board, and one that falls on its edge and slides."""
    fingers = [0.0112] * 2
    p_WT, _ = Kinematics(SCENE.robot).tool_pose(np.array([*SCENE.robot.home, *fingers]))
    flat, tilted = (1.0, 0.0, 0.0, 0.0), (np.cos(0.4), np.sin(0.4), 0.0, 0.0)
    poses = [[*p_WT, *flat], [0.0, -0.15, 0.754, *flat], [0.25, 0.0, 0.78, *tilted]]
    velocities = np.zeros((3, 6), dtype=np.float32)
    velocities[2] = 0.5, 0.2, 0.0, 0.0, 3.0, 8.0
    return SceneState(
        joint_positions=np.array([*SCENE.robot.home, *fingers], dtype=np.float32),
        joint_velocities=np.zeros(JOINTS, dtype=np.float32),
        stone_ids=np.array([0, 1, 12], dtype=np.int16),
        stone_poses=np.array(poses, dtype=np.float32),
        stone_velocities=velocities,
    )


START = start()
SQUEEZE = np.tile([*SCENE.robot.home, 0.0, 0.0], (80, 1))


def shown(backend, scene: SceneSpec) -> list[bytes]:
    """All that a change can be noticed by: pictures of the start, and how things are 0.16 s later."""
    backend.reset(scene, START)
    head, wide = backend.render("head", ("rgb", "depth")), backend.render("wide", ("rgb",))
    backend.step(SQUEEZE)
    seen = (head.rgb, head.depth, wide.rgb)
    return [*(picture.tobytes() for picture in seen), backend.read_state().to_bytes()]


@pytest.fixture(scope="module")
def worlds():
    """One world in each engine, and what is seen of it unchanged."""
    made = {}
    for name in BACKENDS:
        backend = REGISTERED.load(name)()
        backend.build(SCENE, image_size=(64, 64), supersample=1)
        made[name] = (backend, shown(backend, SCENE))
    yield made
    for backend, _ in made.values():
        backend.close()


def test_the_table_names_fields_that_exist():
    assert set(CHANGEABLE) == {field.name for field in fields(SceneSpec)}
    for part, changeable in CHANGEABLE.items():
        assert set(changeable) <= {field.name for field in fields(first(getattr(SCENE, part)))}


@pytest.mark.render
@pytest.mark.parametrize("path", PATHS)
def test_a_change_takes_effect_in_both_engines_or_is_refused_by_both(worlds, path):
    part, name = path.split(".")[:2]
    scene = changed_scene(path)
    assert scene != SCENE
    for engine, (backend, clean) in worlds.items():
        if name in CHANGEABLE[part]:
            assert shown(backend, scene) != clean, f"{engine}: nothing came of it"
            assert shown(backend, SCENE) == clean, f"{engine}: the way back is not exact"
            continue
        before = backend.read_state()
        with pytest.raises(CapabilityError) as refused:
            backend.reset(scene, START)
        where = f"{part}[0].{name}" if isinstance(getattr(SCENE, part), tuple) else f"{part}.{name}"
        value = getattr(first(getattr(scene, part)), name)
        assert str(refused.value).startswith(f"{where} of a built scene cannot change from ")
        assert f"to {value!r}; make a new environment" in str(refused.value)
        assert backend.read_state() == before


@pytest.mark.parametrize(
    "part", [f.name for f in fields(SceneSpec) if isinstance(getattr(SCENE, f.name), tuple)]
)
def test_counts_are_refused_by_both(worlds, part):
    scene = replace(SCENE, **{part: getattr(SCENE, part)[:-1]})
    count = len(getattr(SCENE, part))
    for backend, _ in worlds.values():
        with pytest.raises(CapabilityError, match=f"the number of {part} .* from {count} to {count - 1}"):
            backend.reset(scene, START)


@pytest.mark.parametrize("path", [f"{part}.{name}" for part, names in CHANGEABLE.items() for name in names])
def test_a_backend_that_declares_less_refuses_more(backend, path):
    part, name = path.split(".")
    needed = CHANGEABLE[part][name]
    real = REGISTERED.load(backend)
    less = type("Less", (real,), {"name": "less", "capabilities": frozenset(Capability) - {needed}})()
    less.built = SCENE
    with pytest.raises(CapabilityError, match=rf"'less' cannot change {part}.*\.{name}.*no {needed.value}"):
        less.reset(changed_scene(path), START)


def test_no_scene_is_made_that_one_engine_could_not_draw():
    with pytest.raises(OptionError, match=r"specular.*0\.9"):
        MaterialSpec(metallic=0.5, specular=0.9)
    glare = LightSpec(name="more", kind="ambient", color=(0.1, 0.7, 0.1))
    with pytest.raises(OptionError, match="ambient"):
        replace(SCENE, lights=(*SCENE.lights, glare))
