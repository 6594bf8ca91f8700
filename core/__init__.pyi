"""What type checkers see of this package; written by ``python -m scripts.write_stubs``."""

from core.backend import Backend as Backend
from core.backend import CameraImage as CameraImage
from core.backend import Capability as Capability
from core.backend import ContactForce as ContactForce
from core.board.boards import COLOR_NAMES as COLOR_NAMES
from core.board.boards import COLORS as COLORS
from core.board.boards import Board as Board
from core.board.boards import Cell as Cell
from core.board.boards import empty_board as empty_board
from core.board.boards import with_cell as with_cell
from core.board.goals import Goal as Goal
from core.board.goals import Intersection as Intersection
from core.board.goals import Pattern as Pattern
from core.board.goals import Region as Region
from core.board.goals import board_after as board_after
from core.board.layout import board_of as board_of
from core.board.layout import lay_out as lay_out
from core.control.actions import ActionSpec as ActionSpec
from core.environment import Environment as Environment
from core.episode.record import EpisodeRecord as EpisodeRecord
from core.errors import ActionError as ActionError
from core.errors import BombError as BombError
from core.errors import CapabilityError as CapabilityError
from core.errors import EpisodeInitializationError as EpisodeInitializationError
from core.errors import InstructionError as InstructionError
from core.errors import LifecycleError as LifecycleError
from core.errors import OptionError as OptionError
from core.errors import PolicyConnectionError as PolicyConnectionError
from core.errors import PolicyError as PolicyError
from core.errors import PolicyTimeoutError as PolicyTimeoutError
from core.errors import RegistrationError as RegistrationError
from core.errors import RenderError as RenderError
from core.errors import StateError as StateError
from core.errors import UnknownNameError as UnknownNameError
from core.judge.checker import EpisodeJudge as EpisodeJudge
from core.judge.checker import PlacementChecker as PlacementChecker
from core.judge.checker import Tolerances as Tolerances
from core.judge.checker import Verdict as Verdict
from core.language.sentences import COLOR as COLOR
from core.language.sentences import Phrasing as Phrasing
from core.language.sentences import read_back as read_back
from core.language.sentences import read_cells as read_cells
from core.language.sentences import reword_cells as reword_cells
from core.language.sentences import say as say
from core.language.sentences import say_cells as say_cells
from core.make import make_environment as make_environment
from core.make import make_task as make_task
from core.perturbations import list_perturbations as list_perturbations
from core.perturbations import register_perturbation as register_perturbation
from core.perturbations.base import Actuation as Actuation
from core.perturbations.base import CameraPerturbation as CameraPerturbation
from core.perturbations.base import Level as Level
from core.perturbations.base import Perturbation as Perturbation
from core.perturbations.base import Touches as Touches
from core.policy import BatchPolicy as BatchPolicy
from core.policy import Policy as Policy
from core.policy import Request as Request
from core.registry import list_backends as list_backends
from core.registry import list_tasks as list_tasks
from core.registry import load_backend as load_backend
from core.registry import register_backend as register_backend
from core.registry import register_task as register_task
from core.rendering.sight import Sight as Sight
from core.seeding import SPLITS as SPLITS
from core.seeding import stream as stream
from core.settings import EnvironmentSettings as EnvironmentSettings
from core.task import Episode as Episode
from core.task import Instruction as Instruction
from core.task import Move as Move
from core.task import Span as Span
from core.task import Task as Task
from core.task import Wording as Wording
from core.world.rotations import Pose as Pose
from core.world.rotations import quaternion_about_z as quaternion_about_z
from core.world.scene import BoardSpec as BoardSpec
from core.world.scene import CameraSpec as CameraSpec
from core.world.scene import LightSpec as LightSpec
from core.world.scene import MarkSpec as MarkSpec
from core.world.scene import MaterialSpec as MaterialSpec
from core.world.scene import ObjectSpec as ObjectSpec
from core.world.scene import PhysicsSpec as PhysicsSpec
from core.world.scene import RobotSpec as RobotSpec
from core.world.scene import SceneSpec as SceneSpec
from core.world.scene import SegmentationId as SegmentationId
from core.world.scene import StoneSpec as StoneSpec
from core.world.scene import TableSpec as TableSpec
from core.world.scene import TextureSpec as TextureSpec
from core.world.stage import CAMERAS as CAMERAS
from core.world.stage import TRAY as TRAY
from core.world.stage import clean_scene as clean_scene
from core.world.state import SceneState as SceneState

__all__ = [
    "CAMERAS",
    "COLOR",
    "COLORS",
    "COLOR_NAMES",
    "SPLITS",
    "TRAY",
    "ActionError",
    "ActionSpec",
    "Actuation",
    "Backend",
    "BatchPolicy",
    "Board",
    "BoardSpec",
    "BombError",
    "CameraImage",
    "CameraPerturbation",
    "CameraSpec",
    "Capability",
    "CapabilityError",
    "Cell",
    "ContactForce",
    "Environment",
    "EnvironmentSettings",
    "Episode",
    "EpisodeInitializationError",
    "EpisodeJudge",
    "EpisodeRecord",
    "Goal",
    "Instruction",
    "InstructionError",
    "Intersection",
    "Level",
    "LifecycleError",
    "LightSpec",
    "MarkSpec",
    "MaterialSpec",
    "Move",
    "ObjectSpec",
    "OptionError",
    "Pattern",
    "Perturbation",
    "Phrasing",
    "PhysicsSpec",
    "PlacementChecker",
    "Policy",
    "PolicyConnectionError",
    "PolicyError",
    "PolicyTimeoutError",
    "Pose",
    "Region",
    "RegistrationError",
    "RenderError",
    "Request",
    "RobotSpec",
    "SceneSpec",
    "SceneState",
    "SegmentationId",
    "Sight",
    "Span",
    "StateError",
    "StoneSpec",
    "TableSpec",
    "Task",
    "TextureSpec",
    "Tolerances",
    "Touches",
    "UnknownNameError",
    "Verdict",
    "Wording",
    "board_after",
    "board_of",
    "clean_scene",
    "empty_board",
    "lay_out",
    "list_backends",
    "list_perturbations",
    "list_tasks",
    "load_backend",
    "make_environment",
    "make_task",
    "quaternion_about_z",
    "read_back",
    "read_cells",
    "register_backend",
    "register_perturbation",
    "register_task",
    "reword_cells",
    "say",
    "say_cells",
    "stream",
    "with_cell",
]
