"""How robot and table stand at reset."""

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from core.backend import Capability
from core.errors import EpisodeInitializationError
from core.perturbations.base import HIGHEST, Perturbation, Touches, plain, spread
from core.task import Episode, Task
from core.world.kinematics import Kinematics
from core.world.rotations import Pose
from core.world.scene import SceneSpec
from core.world.state import ARM_JOINTS

REACH = 0.100  # m at severity 5
LOWEST = 0.030  # m: RoboTwin2 lowers its table by 0 to 30 mm
STEPS = 5  # of inverse kinematics from home to the start, 20 mm each at most


class ArmStart(Perturbation):
    """The arm starts elsewhere, its hand pointing down; home, where its elbow is pulled to, stays."""

    name: ClassVar[str] = "arm_start"
    family: ClassVar[str] = "robot"
    touches: ClassVar[Touches] = Touches.ROBOT
    unit: ClassVar[str] = "mm of the tool centre point"
    levels: ClassVar[tuple[str, ...]] = tuple(f"up to {20 * k}" for k in range(1, 6))
    statistic: ClassVar[str] = "distance of the tool centre point from home"

    def draw(self, rng: np.random.Generator, level: int) -> dict[str, Any]:
        angle, rise = rng.uniform(0, 2 * np.pi), rng.uniform(-0.4, 0.2)
        offset = np.array([np.cos(angle), np.sin(angle), rise])
        return {"offset_m": plain(offset / np.linalg.norm(offset) * REACH * spread(rng) * level / HIGHEST)}

    def arrange(self, episode: Episode, draw: dict[str, Any], task: Task) -> Episode:
        robot = episode.scene.robot
        kinematics, joints = Kinematics(robot), np.asarray(robot.home, dtype=np.float64)
        start = kinematics.tool_pose(joints)[0]
        for k in range(1, STEPS + 1):
            found = kinematics.inverse(start + np.asarray(draw["offset_m"]) * k / STEPS, joints)
            if found is None:
                raise EpisodeInitializationError(
                    f"arm_start: no arm configuration {draw['offset_m']} m from home"
                )
            joints = found
        positions = episode.state.joint_positions.copy()
        positions[:ARM_JOINTS] = joints
        return replace(episode, state=replace(episode.state, joint_positions=positions))


class TableHeight(Perturbation):
    """The table, and all that lies on it, stands lower; robot and cameras stay."""

    name: ClassVar[str] = "table_height"
    family: ClassVar[str] = "robot"
    touches: ClassVar[Touches] = Touches.ROBOT
    unit: ClassVar[str] = "mm"
    levels: ClassVar[tuple[str, ...]] = tuple(f"down to -{6 * k}" for k in range(1, 6))
    statistic: ClassVar[str] = "height of the table's upper face below the clean one"
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.LIVE_POSES})

    def draw(self, rng: np.random.Generator, level: int) -> dict[str, Any]:
        return {"lower_m": LOWEST * spread(rng) * level / HIGHEST}

    def dress(self, scene: SceneSpec, draw: dict[str, Any]) -> SceneSpec:
        (x, y, z), lower = scene.board.X_WB.p, draw["lower_m"]
        return replace(
            scene,
            table=replace(scene.table, height=scene.table.height - lower),
            board=replace(scene.board, X_WB=Pose((x, y, z - lower), scene.board.X_WB.q)),
        )

    def lowest_table(self, level: int) -> float:
        return LOWEST * level / HIGHEST
