"""The Franka Panda, read once from the one URDF and handed to both engines.

Source: ``robots/panda_description`` of the package ``example-robot-data`` (Apache-2.0; see NOTICE).
Inertias, limits and shapes are what the file says; the drawn meshes are simplified and cached
(core/world/robot_visuals.py).
"""

import hashlib
import os
import sys
import xml.etree.ElementTree as ElementTree
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import BombError
from core.world.cache import cache_folder
from core.world.rotations import Pose, pose_from, quaternion_from_rpy, triple

# Drawn and massless frames of the URDF that carry nothing but a fixed transform keep their own links,
# so that frame names mean the same everywhere.
ARM_JOINT_NAMES = tuple(f"panda_joint{k}" for k in range(1, 8))
FINGER_JOINT_NAMES = ("panda_finger_joint1", "panda_finger_joint2")
JOINT_NAMES = ARM_JOINT_NAMES + FINGER_JOINT_NAMES
FINGER_LINKS = ("panda_leftfinger", "panda_rightfinger")
HAND_LINK = "panda_hand"
TOOL_FRAME = "panda_hand_tcp"
HULL_VERSION = 1  # raise it when `_thinned_hull` makes other points


@dataclass(frozen=True, kw_only=True, eq=False)
class CollisionShape:
    """A box (``half_size``) or a convex hull (``vertices``, float64[V, 3]), at ``X_LS`` in its link."""

    X_LS: Pose
    half_size: tuple[float, float, float] | None = None
    vertices: npt.NDArray[np.float64] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Link:
    """One rigid link.

    Attributes:
        name: as in the URDF.
        mass: kg; 0 for frames.
        p_LC: centre of mass in the link (m).
        inertia: float64[3, 3] about the centre of mass, link axes (kg m^2).
        collisions: its shapes.
        visual: file of its drawn mesh, or None.
        X_LV: pose of the drawn mesh in the link.
    """

    name: str
    mass: float
    p_LC: tuple[float, float, float]
    inertia: npt.NDArray[np.float64]
    collisions: tuple[CollisionShape, ...]
    visual: Path | None
    X_LV: Pose


@dataclass(frozen=True, kw_only=True)
class Joint:
    """A joint between two links; ``X_PJ`` is the child's frame in the parent at joint position zero.

    ``kind`` is ``revolute``, ``prismatic`` or ``fixed``; ``axis`` is in the child's frame, ``limits`` in
    rad or m, ``effort`` in N m or N, ``damping`` in N m s/rad or N s/m.
    """

    name: str
    kind: str
    parent: str
    child: str
    X_PJ: Pose
    axis: tuple[float, float, float]
    limits: tuple[float, float]
    effort: float
    damping: float


@dataclass(frozen=True, kw_only=True, eq=False)
class RobotDescription:
    """Links and joints in tree order: every parent stands before its children."""

    links: tuple[Link, ...]
    joints: tuple[Joint, ...]

    def link(self, name: str) -> Link:
        """The link of that name."""
        return next(link for link in self.links if link.name == name)

    def joint_to(self, link: str) -> Joint | None:
        """The joint whose child is ``link``; None for the root."""
        return next((joint for joint in self.joints if joint.child == link), None)


def panda_folder() -> Path:
    """Where ``example-robot-data`` keeps the Panda.

    Raises:
        BombError: if the package is not installed.
    """
    tail = Path("cmeel.prefix/share/example-robot-data/robots/panda_description")
    for entry in sys.path:
        if (Path(entry) / tail).is_dir():
            return Path(entry) / tail
    raise BombError("the robot's description is missing: pip install example-robot-data==6.0.0")


@lru_cache
def panda() -> RobotDescription:
    """Parses the Panda; the result is shared and must not be changed."""
    root = ElementTree.parse(panda_folder() / "urdf" / "panda.urdf").getroot()
    joints = tuple(_joint(element) for element in root.findall("joint"))
    links = {_text(element, "name"): _link(element) for element in root.findall("link")}
    children = {joint.child for joint in joints}
    order = [name for name in links if name not in children]
    for name in order:
        order.extend(joint.child for joint in joints if joint.parent == name)
    by_child = {joint.child: joint for joint in joints}
    return RobotDescription(
        links=tuple(links[name] for name in order),
        joints=tuple(by_child[name] for name in order if name in by_child),
    )


def _floats(text: str | None, default: str = "0 0 0") -> tuple[float, ...]:
    return tuple(float(value) for value in (text or default).split())


def _part(element: ElementTree.Element, path: str) -> ElementTree.Element:
    part = element.find(path)
    if part is None:
        raise BombError(f"the robot's description is not the expected one: {element.tag} lacks {path}")
    return part


def _text(element: ElementTree.Element, key: str) -> str:
    text = element.get(key)
    if text is None:
        raise BombError(f"the robot's description is not the expected one: {element.tag} lacks {key}")
    return text


def _number(element: ElementTree.Element, key: str) -> float:
    return float(_text(element, key))


def _origin(element: ElementTree.Element) -> Pose:
    origin = element.find("origin")
    if origin is None:
        return Pose()
    return pose_from(_floats(origin.get("xyz")), quaternion_from_rpy(_floats(origin.get("rpy"))))


def _mesh_file(mesh: ElementTree.Element) -> Path:
    return panda_folder() / _text(mesh, "filename").split("panda_description/", 1)[1]


def _joint(element: ElementTree.Element) -> Joint:
    limit, dynamics = element.find("limit"), element.find("dynamics")
    axis = element.find("axis")
    return Joint(
        name=_text(element, "name"),
        kind=_text(element, "type"),
        parent=_text(_part(element, "parent"), "link"),
        child=_text(_part(element, "child"), "link"),
        X_PJ=_origin(element),
        axis=triple(_floats(axis.get("xyz") if axis is not None else None, "0 0 1")),
        limits=(0.0, 0.0) if limit is None else (_number(limit, "lower"), _number(limit, "upper")),
        effort=0.0 if limit is None else _number(limit, "effort"),
        damping=0.0 if dynamics is None else _number(dynamics, "damping"),
    )


def _link(element: ElementTree.Element) -> Link:
    inertial, visual = _part(element, "inertial"), element.find("visual")
    i = _part(inertial, "inertia")
    xx, xy, xz, yy, yz, zz = (_number(i, key) for key in ("ixx", "ixy", "ixz", "iyy", "iyz", "izz"))
    return Link(
        name=_text(element, "name"),
        mass=_number(_part(inertial, "mass"), "value"),
        p_LC=_origin(inertial).p,
        inertia=np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]),
        collisions=tuple(_collision(shape) for shape in element.findall("collision")),
        visual=None if visual is None else _mesh_file(_part(visual, "geometry/mesh")),
        X_LV=Pose() if visual is None else _origin(visual),
    )


def _collision(element: ElementTree.Element) -> CollisionShape:
    box = element.find("geometry/box")
    if box is not None:
        size = _floats(box.get("size"))
        return CollisionShape(X_LS=_origin(element), half_size=triple(value / 2 for value in size))
    vertices = robot_hull(_mesh_file(_part(element, "geometry/mesh")))
    return CollisionShape(X_LS=_origin(element), vertices=vertices)


def robot_hull(file: Path, most: int = 48) -> npt.NDArray[np.float64]:
    """Vertices of the convex hull of a collision mesh, float64[V, 3], thinned to about ``most``.

    Kept in the cache to the last bit: the library that makes them takes longer to import than all the rest
    of an environment. Where the cache cannot be written they are made each time.
    """
    key = hashlib.sha256(file.read_bytes() + f"{HULL_VERSION}/{most}".encode()).hexdigest()[:16]
    with suppress(OSError, ValueError, EOFError):  # no cache, nothing in it, or damaged: made anew
        cached: npt.NDArray[np.float64] = np.load(cache_folder() / f"hull_{file.stem}_{key}.npy")
        return cached
    points = _thinned_hull(file, most)
    with suppress(OSError):
        # Written beside and moved into place: two processes may get here at once.
        kept = cache_folder() / f"hull_{file.stem}_{key}.npy"
        fresh = kept.with_name(f"{kept.stem}.{os.getpid()}.npy")
        np.save(fresh, points)
        fresh.replace(kept)
    return points


def _thinned_hull(file: Path, most: int) -> npt.NDArray[np.float64]:
    """PhysX cooks at most 255 points and drops some above 64; MuJoCo's cost grows with them.

    Thinning in code gives both engines the same points.
    """
    import trimesh  # slow to import, and only the first environment on a machine needs it

    hull = trimesh.load_mesh(file).convex_hull
    points = np.asarray(hull.vertices, dtype=np.float64)
    if len(points) <= most:
        return points
    # Farthest-point sampling from the extreme points: keeps the outline, drops near-duplicates.
    chosen = sorted({int(np.argmax(points @ d)) for d in np.vstack([np.eye(3), -np.eye(3)])})
    distance = np.min([np.linalg.norm(points - points[k], axis=1) for k in chosen], axis=0)
    while len(chosen) < most:
        k = int(np.argmax(distance))
        chosen.append(k)
        distance = np.minimum(distance, np.linalg.norm(points - points[k], axis=1))
    return points[sorted(chosen)]
