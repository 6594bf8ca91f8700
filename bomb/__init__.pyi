"""What type checkers see of this package; written by ``python -m scripts.write_stubs``."""

from bomb.evaluation import EvaluationSettings as EvaluationSettings
from bomb.evaluation import ExecutionSettings as ExecutionSettings
from bomb.evaluation import evaluate as evaluate
from bomb.policies.making import make_policy as make_policy
from bomb.policies.registry import list_policies as list_policies
from bomb.policies.registry import register_policy as register_policy
from bomb.policies.registry import register_policy_scheme as register_policy_scheme
from bomb.rollouts.rollout import EpisodeResult as EpisodeResult
from bomb.rollouts.rollout import play as play
from bomb.rollouts.vector import make_vec as make_vec
from bomb.runs.rescoring import rescore as rescore
from bomb.runs.store import RunStore as RunStore
from bomb.statistics import Estimate as Estimate
from core import CAMERAS as CAMERAS
from core import COLOR as COLOR
from core import COLOR_NAMES as COLOR_NAMES
from core import COLORS as COLORS
from core import SPLITS as SPLITS
from core import TRAY as TRAY
from core import ActionError as ActionError
from core import ActionSpec as ActionSpec
from core import Actuation as Actuation
from core import Backend as Backend
from core import BatchPolicy as BatchPolicy
from core import Board as Board
from core import BoardSpec as BoardSpec
from core import BombError as BombError
from core import CameraImage as CameraImage
from core import CameraPerturbation as CameraPerturbation
from core import CameraSpec as CameraSpec
from core import Capability as Capability
from core import CapabilityError as CapabilityError
from core import Cell as Cell
from core import ContactForce as ContactForce
from core import Environment as Environment
from core import EnvironmentSettings as EnvironmentSettings
from core import Episode as Episode
from core import EpisodeInitializationError as EpisodeInitializationError
from core import EpisodeJudge as EpisodeJudge
from core import EpisodeRecord as EpisodeRecord
from core import Goal as Goal
from core import Instruction as Instruction
from core import InstructionError as InstructionError
from core import Intersection as Intersection
from core import Level as Level
from core import LifecycleError as LifecycleError
from core import LightSpec as LightSpec
from core import MarkSpec as MarkSpec
from core import MaterialSpec as MaterialSpec
from core import Move as Move
from core import ObjectSpec as ObjectSpec
from core import OptionError as OptionError
from core import Pattern as Pattern
from core import Perturbation as Perturbation
from core import Phrasing as Phrasing
from core import PhysicsSpec as PhysicsSpec
from core import PlacementChecker as PlacementChecker
from core import Policy as Policy
from core import PolicyConnectionError as PolicyConnectionError
from core import PolicyError as PolicyError
from core import PolicyTimeoutError as PolicyTimeoutError
from core import Pose as Pose
from core import Region as Region
from core import RegistrationError as RegistrationError
from core import RenderError as RenderError
from core import Request as Request
from core import RobotSpec as RobotSpec
from core import SceneSpec as SceneSpec
from core import SceneState as SceneState
from core import SegmentationId as SegmentationId
from core import Sight as Sight
from core import Span as Span
from core import StateError as StateError
from core import StoneSpec as StoneSpec
from core import TableSpec as TableSpec
from core import Task as Task
from core import TextureSpec as TextureSpec
from core import Tolerances as Tolerances
from core import Touches as Touches
from core import UnknownNameError as UnknownNameError
from core import Verdict as Verdict
from core import Wording as Wording
from core import board_after as board_after
from core import board_of as board_of
from core import clean_scene as clean_scene
from core import empty_board as empty_board
from core import lay_out as lay_out
from core import list_backends as list_backends
from core import list_perturbations as list_perturbations
from core import list_tasks as list_tasks
from core import load_backend as load_backend
from core import make_environment as make_environment
from core import make_task as make_task
from core import quaternion_about_z as quaternion_about_z
from core import read_back as read_back
from core import read_cells as read_cells
from core import register_backend as register_backend
from core import register_perturbation as register_perturbation
from core import register_task as register_task
from core import reword_cells as reword_cells
from core import say as say
from core import say_cells as say_cells
from core import stream as stream
from core import with_cell as with_cell

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
    "EpisodeResult",
    "Estimate",
    "EvaluationSettings",
    "ExecutionSettings",
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
    "RunStore",
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
    "evaluate",
    "lay_out",
    "list_backends",
    "list_perturbations",
    "list_policies",
    "list_tasks",
    "load_backend",
    "make_environment",
    "make_policy",
    "make_task",
    "make_vec",
    "play",
    "quaternion_about_z",
    "read_back",
    "read_cells",
    "register_backend",
    "register_perturbation",
    "register_policy",
    "register_policy_scheme",
    "register_task",
    "rescore",
    "reword_cells",
    "say",
    "say_cells",
    "stream",
    "with_cell",
]
