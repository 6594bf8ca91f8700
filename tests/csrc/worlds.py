"""A small world for the checker's tests: board, table, a puck, a Panda's fingers. No simulator.

Frames: W world, B board, S stone, L finger link. Metres, radians, quaternions wxyz.
"""

import numpy as np

from core.judge.checker import Geometry

SIZE = 5
PITCH = 0.055
HALF_THICKNESS = 0.004  # of a stone
RADIUS = 0.011  # of a stone
TABLE_TOP = 0.74
BOARD_TOP = 0.75
IDENTITY = np.array([1.0, 0.0, 0.0, 0.0])

# The collision boxes of the Panda's finger in its link frame: centre, quaternion, half size. The
# pad, with its face in the plane y = 0, is last.
LEFT_FINGER = np.array(
    [
        [0.0, 0.0185, 0.011, 1, 0, 0, 0, 0.011, 0.0075, 0.010],
        [0.0, 0.0068, 0.0022, 1, 0, 0, 0, 0.011, 0.0044, 0.0019],
        [0.0, 0.0159, 0.02835, np.cos(np.pi / 12), np.sin(np.pi / 12), 0, 0, 0.00875, 0.0035, 0.01175],
        [0.0, 0.00758, 0.04525, 1, 0, 0, 0, 0.00875, 0.0076, 0.00925],
    ]
)
PAD_TIP = 0.0545  # z of the pad's lower end in the link frame


def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Quaternion product, wxyz."""
    w, v = a[0], a[1:]
    return np.array([w * b[0] - v @ b[1:], *(w * b[1:] + b[0] * v + np.cross(v, b[1:]))])


def rotation(axis: tuple[float, float, float], angle: float) -> np.ndarray:
    """Quaternion wxyz of a turn by `angle` about `axis`."""
    unit = np.asarray(axis, float) / np.linalg.norm(axis)
    return np.array([np.cos(angle / 2), *(np.sin(angle / 2) * unit)])


def matrix(q: np.ndarray) -> np.ndarray:
    """Rotation matrix of a quaternion wxyz."""
    w, x, y, z = q / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def pose(p, q=IDENTITY) -> np.ndarray:
    return np.array([*p, *q], float)


def compose(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """X_AC = X_AB * X_BC."""
    return pose(a[:3] + matrix(a[3:]) @ b[:3], multiply(a[3:], b[3:]))


def puck(facets: int = 32) -> np.ndarray:
    """The benchmark's stone: 22 mm across, 8 mm thick, flat faces of 16 mm, a rim band of 4 mm."""
    angles = 2 * np.pi * np.arange(facets) / facets
    circle = np.stack([np.cos(angles), np.sin(angles), np.zeros(facets)], axis=1)
    rings = ((0.008, 0.004), (RADIUS, 0.002), (RADIUS, -0.002), (0.008, -0.004))
    return np.concatenate([radius * circle + [0, 0, z] for radius, z in rings])


def mirrored(boxes: np.ndarray) -> np.ndarray:
    """The right finger: the left one turned half a turn about the link's z axis."""
    turn = pose((0, 0, 0), rotation((0, 0, 1), np.pi))
    return np.array([[*compose(turn, box[:7]), *box[7:]] for box in boxes])


def geometry_arguments(**changes) -> dict:
    arguments = dict(
        board_pose=pose((0.0, -0.1, BOARD_TOP), rotation((0, 0, 1), np.pi)),
        board_half_size=np.array([0.14, 0.14, 0.005]),
        size=SIZE,
        pitch=PITCH,
        table_pose=pose((0.0, 0.0, TABLE_TOP - 0.025)),
        table_half_size=np.array([0.6, 0.35, 0.025]),
        stone_hull=puck(),
        finger_boxes=[LEFT_FINGER, mirrored(LEFT_FINGER)],
    )
    return {**arguments, **changes}


def make_geometry(**changes) -> Geometry:
    return Geometry(**geometry_arguments(**changes))


BOARD_POSE = geometry_arguments()["board_pose"]


def on_board(row: float, column: float, height: float = 0.0, q=IDENTITY) -> np.ndarray:
    """Pose in W of a stone at an intersection, its face `height` above the board."""
    p_B = ((column - (SIZE - 1) / 2) * PITCH, ((SIZE - 1) / 2 - row) * PITCH, HALF_THICKNESS + height)
    return compose(BOARD_POSE, pose(p_B, q))


def in_board(p_B, q=IDENTITY) -> np.ndarray:
    """Pose in W of a stone at p_B."""
    return compose(BOARD_POSE, pose(p_B, q))


def on_table(x: float, y: float) -> np.ndarray:
    """Pose in W of a stone lying on the table at (x, y) of the world."""
    return pose((x, y, TABLE_TOP + HALF_THICKNESS))


def fingers_around(centre_W, opening: float) -> np.ndarray:
    """Poses of both finger links, pointing down: pads `opening` apart along y, centred on a point."""
    down = rotation((1, 0, 0), np.pi)
    hand = pose(np.add(centre_W, (0, 0, PAD_TIP - 0.00925)), down)
    return np.stack([compose(hand, pose((0, side * opening / 2, 0))) for side in (1, -1)])


AWAY = fingers_around((0.0, -0.3, 1.3), 0.048)


def measure(geometry: Geometry, stones, velocities=None, fingers=AWAY) -> np.ndarray:
    stones = np.array(stones, float)
    velocities = np.zeros((len(stones), 6)) if velocities is None else np.asarray(velocities, float)
    return geometry.measure(stones, velocities, fingers)
