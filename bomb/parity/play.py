"""What the studies share: their environments, and scripts that play without looking.

An open-loop script is made from where the stones stand at reset and from noise, before anything has
moved; both simulators then play exactly the same actions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from bomb.policies.expert import GRASP_ABOVE_MIDDLE, RELEASE_GAP, SLOW_HEIGHT
from bomb.policies.world import Transfer, World
from bomb.rollouts.rollout import EpisodeResult, replay
from core.control.actions import ActionSpec
from core.environment import Environment
from core.make import make_environment
from core.settings import EnvironmentSettings
from core.task import Episode
from core.world.kinematics import Kinematics
from core.world.rotations import matrix_from_quaternion
from core.world.stage import clean_scene
from core.world.state import ARM_JOINTS
from tasks.place_stone import PlaceStone
from tasks.place_stone.layout import LayoutSpec

IMAGE_SIZE = (256, 256)
ACTION = ActionSpec(mode="delta", control_hz=20)
PUSH_SPEED = 0.125  # share of full speed, 50 mm/s: a pushed stone stops with the finger that pushes it

# Stones clear of everything: 0.135 m is the board's edge, an open hand reaches 0.040 m to each side of
# its middle, and three and a half standard deviations of the grasp noise are 0.035 m. One stone of each
# colour, so that no open hand comes down on a neighbour.
CLEAR = LayoutSpec(per_color=(1, 1), on_board=0, side=(0.215, 0.300), spacing=0.120, nearest_by=0.0)


@lru_cache(maxsize=8)
def environment(
    backend: str,
    split: str,
    layout: LayoutSpec | None = None,
    cameras: tuple[str, ...] = (),
    perturbations: str | None = None,
) -> Environment:
    """One environment per simulator and purpose, kept for the life of the process.

    Episodes end when success first holds, and are then held for half a second and judged.
    """
    return make_environment(
        EnvironmentSettings(
            PlaceStone(layout=layout),
            backend=backend,
            split=split,
            cameras=cameras,
            image_size=IMAGE_SIZE,
            modalities=(),
            action_mode=ACTION.mode,
            control_hz=ACTION.control_hz,
            perturbations=perturbations,
            stop_on_success=True,
        )
    )


@lru_cache(maxsize=64)
def episode(split: str, layout: LayoutSpec | None, seed: int) -> Episode:
    """The episode of a seed, as every environment with this layout begins it."""
    return PlaceStone(layout=layout).make_episode(clean_scene(), split=split, seed=seed)


@dataclass(frozen=True, kw_only=True)
class Waypoint:
    """A place for the commanded target (float64[3], m, in R), then a wait there.

    Attributes:
        target: where to go.
        opening: of the gripper, on the way and there.
        seconds: to wait there.
        speed: share of full speed on the way.
    """

    target: npt.NDArray[np.float64]
    opening: float
    seconds: float = 0.0
    speed: float = 1.0


def script(start: Episode, waypoints: list[Waypoint]) -> npt.NDArray[np.float32]:
    """The actions, float32[N, 4], that command the waypoints one after the other."""
    return np.array(list(commands(home(start), waypoints)), dtype=np.float32)


def home(start: Episode) -> npt.NDArray[np.float64]:
    """The target that is commanded at reset, float64[3] in R (m)."""
    robot = start.scene.robot
    p_WT, _ = Kinematics(robot).tool_pose(start.state.joint_positions[:ARM_JOINTS].astype(np.float64))
    p_RT: npt.NDArray[np.float64] = matrix_from_quaternion(robot.X_WR.q).T @ (p_WT - np.asarray(robot.X_WR.p))
    return p_RT


def commands(
    commanded: npt.NDArray[np.float64], waypoints: Sequence[Waypoint]
) -> Iterator[npt.NDArray[np.float32]]:
    """Actions, float32[4] each, that command the waypoints one after the other.

    Args:
        commanded: the target that is commanded before them, float64[3] in R (m).
        waypoints: where to go.
    """
    for waypoint in waypoints:
        target = np.array(ACTION.clip(waypoint.target))
        while abs(target - commanded).max() > 1e-5:
            step = target - commanded
            limit = waypoint.speed * ACTION.max_step
            step *= min(1.0, limit / abs(step).max())
            action = ACTION.towards(commanded, commanded + step, waypoint.opening)
            commanded = np.array(ACTION.advance(commanded, action))
            yield action
        for _ in range(round(waypoint.seconds * ACTION.control_hz)):
            yield np.array([0.0, 0.0, 0.0, waypoint.opening], dtype=np.float32)


def named_stone(start: Episode) -> int:
    """Pool index of the stone that the episode means: the nearest of the named colour."""
    return _transfer(start).stone


def _transfer(start: Episode) -> Transfer:
    """What the expert would do first; no goal of an episode is fulfilled before it begins."""
    return next(_world(start).transfers(start.state, home(start)))


def _world(start: Episode) -> World:
    return World(start.scene, start.goal, start.state)


def grasp_and_lift(
    start: Episode, offset: npt.NDArray[np.float64], *, astride: bool = True
) -> list[Waypoint]:
    """Grasps the named stone with the tool ``offset`` float64[3] (m, in R) off the nominal grasp, and lifts.

    The nominal grasp is the expert's: straight above the stone's middle. The open fingers come down astride
    the stone, then slide to the offset; a finger that is off by more than the 13 mm between pad and stone
    pushes it aside. Without ``astride`` they come down where the offset is: that finger then lands on the
    stone's edge and flips it, which is chaotic (docs/parity.md has numbers).
    """
    world = _world(start)
    nominal = world.stone(start.state, named_stone(start)) + [0.0, 0.0, GRASP_ABOVE_MIDDLE]
    grasp = nominal + offset
    above = np.array([grasp[0], grasp[1], world.travel])
    if astride:
        # Not pressed on the table while sliding.
        down = nominal + [0.0, 0.0, max(offset[2], 0.0)]
        approach = [
            Waypoint(target=np.array([nominal[0], nominal[1], world.travel]), opening=1.0, seconds=0.2),
            Waypoint(target=nominal + [0.0, 0.0, SLOW_HEIGHT], opening=1.0),
            Waypoint(target=down, opening=1.0, seconds=0.1, speed=0.34),
            Waypoint(target=np.array([grasp[0], grasp[1], down[2]]), opening=1.0, speed=PUSH_SPEED),
        ]
    else:
        approach = [
            Waypoint(target=above, opening=1.0, seconds=0.2),
            Waypoint(target=grasp + [0.0, 0.0, SLOW_HEIGHT], opening=1.0),
        ]
    return [
        *approach,
        Waypoint(target=grasp, opening=1.0, seconds=0.3, speed=PUSH_SPEED),
        Waypoint(target=grasp, opening=0.0, seconds=0.5),
        Waypoint(target=above, opening=0.0, seconds=0.5),
    ]


def set_down(start: Episode, error: npt.NDArray[np.float64]) -> list[Waypoint]:
    """Carries what is in the hand to the goal, ``error`` float64[3] (m, in R) off, lets go and retreats.

    The nominal release has the stone where the nominal grasp left it in the hand.
    """
    world = _world(start)
    release = (
        _transfer(start).place + [0.0, 0.0, world.half_height + RELEASE_GAP + GRASP_ABOVE_MIDDLE] + error
    )
    above = np.array([release[0], release[1], world.travel])
    return [
        Waypoint(target=above, opening=0.0, seconds=0.2),
        Waypoint(target=release + [0.0, 0.0, SLOW_HEIGHT], opening=0.0),
        Waypoint(target=release, opening=0.0, seconds=0.15, speed=0.34),
        Waypoint(target=release, opening=1.0, seconds=0.5),
        Waypoint(target=above, opening=1.0, seconds=0.5),
    ]


def play_script(env: Environment, start: Episode, waypoints: list[Waypoint]) -> EpisodeResult:
    """Plays a script in the episode that it was made for."""
    return replay(env, start.seed, script(start, waypoints))


def stone_row(start: Episode, stone: int) -> int:
    """Where pool stone ``stone`` stands in the arrays of a ``SceneState``."""
    return int(np.searchsorted(start.state.stone_ids, stone))
