"""Both engines against what mechanics says: falling, stopping, sliding, turning, holding.

Free fall: position after 0.1 s in the air. Rebound and sinking: the worst of 14 level drops from 2 to 15 cm.
Friction angle: the steepest board, to 0.1 degrees, on which a stone does not slide by 1 mm in 0.4 s.
Sliding: from 0.5 m/s over the board. Spin: from 20 rad/s to rest; a rigid disc that carries its weight on the
edge of its face stops in I w / (mu m g r), one with even pressure in 3/2 of that. Grip: force of each finger
on a stone in the closed hand, against the drive's stiffness times how far the stone keeps it from its target.

    python -m benchmarks.analytic_contact --json analytic.json
"""

import sys
from dataclasses import replace

import numpy as np

import core
from benchmarks.timing import arguments, write
from bomb.parity.contact.bench import BOARD, HALF_HEIGHT, TABLE, in_world, lying
from bomb.parity.contact.courses import scene
from bomb.parity.contact.open_hand import grasp
from bomb.parity.play import ACTION
from core.backend import Backend
from core.control.controller import Controller
from core.world.rotations import Pose, multiply
from core.world.scene import SceneSpec
from core.world.state import ARM_JOINTS, SceneState

PLACE = np.array([0.5, 0.02, BOARD + HALF_HEIGHT])  # in R (m)


def built(backend: str, world_scene: SceneSpec) -> Backend:
    """A world of one's own."""
    world: Backend = core.load_backend(backend)()
    world.build(world_scene, image_size=(64, 64), supersample=1)
    return world


def run(world: Backend, state: SceneState, steps: int) -> np.ndarray:
    """The stone while the arm stays where it is: float64[steps, 13], p (m), q, v (m/s), w (rad/s) in W."""
    world.write_state(state)
    hold = state.joint_positions[None].astype(np.float64)
    rows = []
    for _ in range(steps):
        world.step(hold)
        after = world.read_state()
        rows.append(np.concatenate([after.stone_poses[0], after.stone_velocities[0]]))
    return np.array(rows, dtype=np.float64)


def stone(height: float = 0.0, velocity=(0.0, 0.0, 0.0), spin: float = 0.0) -> SceneState:
    """A stone over the board, ``height`` (m) up, moving (m/s, rad/s, in W)."""
    state = lying([PLACE + [0.0, 0.0, height]], np.random.default_rng(0))
    velocities = np.array([[*velocity, 0.0, 0.0, spin]], dtype=np.float32)
    return replace(state, stone_velocities=velocities)


def falling(world: Backend) -> float:
    """How far a stone falls in 0.1 s (mm)."""
    course = run(world, stone(height=0.2), 50)
    return float(1000 * (in_world(PLACE)[2] + 0.2 - course[-1, 2]))


def dropping(world: Backend) -> tuple[float, float]:
    """How high a stone hops after its first touch, and how deep it sinks for a step (mm); the worst."""
    hops, depths = [], []
    for height in np.linspace(0.02, 0.15, 14):
        z = 1000 * (run(world, stone(height=float(height)), 350)[:, 2] - in_world(PLACE)[2])
        touch = int(np.argmax(z < 0.05))
        lowest = touch + int(np.argmin(z[touch : touch + 15]))
        hops.append(z[lowest:].max())
        depths.append(-z.min())
    return float(max(hops)), float(max(depths))


def friction_angle(backend: str) -> float:
    """The steepest board on which a stone stays (degrees)."""
    low, high = 15.0, 30.0
    while high - low > 0.1:
        middle = (low + high) / 2
        half = np.radians(middle) / 2
        tilt = np.array([np.cos(half), np.sin(half), 0.0, 0.0])
        board = scene().board
        q = multiply(tuple(tilt), board.X_WB.q)
        # Higher, so that the table is not in the way of the board's lower edge.
        p = np.array([board.X_WB.p[0], board.X_WB.p[1], board.X_WB.p[2] + 0.08])
        tilted = replace(scene(), board=replace(board, X_WB=Pose(tuple(p), tuple(map(float, q)))))
        normal = np.array([0.0, -np.sin(2 * half), np.cos(2 * half)])
        state = stone()
        state = replace(state, stone_poses=np.array([[*(p + HALF_HEIGHT * normal), *tilt]], dtype=np.float32))
        course = run(built(backend, tilted), state, 200)
        stays = np.linalg.norm(course[-1, :3] - course[20, :3]) < 0.001
        low, high = (middle, high) if stays else (low, middle)
    return (low + high) / 2


def sliding(world: Backend) -> float:
    """How far a stone slides from 0.5 m/s (mm)."""
    course = run(world, stone(velocity=(0.5, 0.0, 0.0)), 200)
    return float(1000 * np.linalg.norm(course[-1, :2] - in_world(PLACE)[:2]))


def spinning(world: Backend) -> float:
    """When a stone that turned at 20 rad/s has stopped (s)."""
    course = run(world, stone(spin=20.0), 200)
    return float(np.argmax(abs(course[:, 12]) < 0.05) + 1) * scene().physics.timestep


def gripping(world: Backend) -> tuple[float, float]:
    """The force between a finger and the stone that the hand holds up, and its drive's (N)."""
    start = grasp(
        np.zeros(3), [np.array([0.5, 0.24, TABLE + HALF_HEIGHT])], np.random.default_rng(0), np.zeros(3)
    )
    controller = Controller(ACTION, scene())
    controller.reset(start.state.joint_positions[:ARM_JOINTS].astype(np.float64))
    world.write_state(start.state)
    for action in start.actions:
        world.step(controller.advance(action))
    forces = [force for force in world.contact_forces() if "panda_leftfinger" in force.bodies]
    position = float(world.read_state().joint_positions[ARM_JOINTS])
    return (
        float(sum(np.linalg.norm(force.normal) for force in forces)),
        scene().robot.finger_stiffness * position,
    )


def main() -> int:
    """Measures and prints."""
    args = arguments(__doc__)
    physics, piece = scene().physics, scene().stones[0]
    mu, g = physics.surface_stone, physics.gravity
    rim = piece.inertia * 20 / (mu * piece.mass * g * piece.flat_radius)
    expected = {
        "free fall in 0.1 s (mm)": 1000 * g * 0.1**2 / 2,
        "highest hop (mm)": 0.0,
        "deepest sinking (mm)": 0.0,
        "friction angle (degrees)": float(np.degrees(np.arctan(mu))),
        "sliding from 0.5 m/s (mm)": 1000 * 0.5**2 / (2 * mu * g),
        "spin-down from 20 rad/s (s)": rim,
        "grip force less the drive's (N)": 0.0,
    }
    found: dict[str, dict[str, float]] = {name: {"expected": value} for name, value in expected.items()}
    for backend in core.list_backends():
        world = built(backend, scene())
        hop, depth = dropping(world)
        force, drive = gripping(world)
        values = (
            *(falling(world), hop, depth, friction_angle(backend), sliding(world), spinning(world)),
            force - drive,
        )
        for name, value in zip(expected, values, strict=True):
            found[name][backend] = value
        found.setdefault("grip force (N)", {"expected": drive})[backend] = force
    columns = ["expected", *core.list_backends()]
    print(f"{'':34}" + "".join(f"{column:>12}" for column in columns))
    for name, row in found.items():
        print(f"{name:34}" + "".join(f"{row[column]:12.3f}" for column in columns))
    write(found, args.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
