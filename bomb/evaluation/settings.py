"""What is evaluated, and how it is carried out."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from bomb.rollouts.chunks import ChunkExecution
from core.errors import (
    NATURAL,
    POSITIVE,
    Number,
    OptionError,
    check_choice,
    check_flag,
    check_integer,
    check_names,
    check_numbers,
    take_plain_numbers,
)
from core.rendering.observation import ObservationSpec
from core.rendering.sight import DECLARED, Sight
from core.seeding import check_seed
from core.settings import EnvironmentSettings, EpisodeSettings

GOALS = ("all", "seen", "unseen")
KEEP = ("none", "failures", "all")
EXECUTORS = ("local", "ray")


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings(EpisodeSettings):
    """What is evaluated: every task x backend x perturbation on the same seeds.

    How episodes are played, ``split`` to ``stop_on_success``, is said as in ``core.EnvironmentSettings``.

    Attributes:
        policy: words for ``bomb.make_policy``.
        backends, tasks: registered names.
        perturbations: as words, see ``bomb.evaluation.perturbed``.
        episodes: how many in each condition; their seeds are ``seed``, ``seed + 1``, ...
        goals: ``"all"``, or only seeds whose goal is ``"seen"`` or ``"unseen"``: not in, or in the set of
            intersections that demonstrations leave out; see ``core.perturbations.heldout``.
        cameras: what the policy sees; empty renders nothing; None: those that it declares; where it declares
            none, no camera if it is privileged, else head.
        image_size, modalities: None: what the policy declares; where it declares nothing, 256 x 256 pixels
            and ``rgb``.
        chunks: how chunks are executed, as words; see ``bomb.rollouts.chunks``.
        allow_training_split: whether a policy may be evaluated on the split that it was trained on.
    """

    policy: str
    backends: tuple[str, ...]
    tasks: tuple[str, ...] = ("place_stone",)
    perturbations: tuple[str, ...] = ("clean",)
    episodes: int = 20
    seed: int = 0
    goals: str = "all"
    cameras: tuple[str, ...] | None = None
    image_size: tuple[int, int] | None = None  # type: ignore[assignment]  # until it is ``fitted``
    modalities: tuple[str, ...] | None = None
    chunks: str = "full"
    allow_training_split: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("episodes", check_integer("episodes", self.episodes, least=1))
        self._set("seed", check_seed(self.seed))
        check_seed(self.seed + self.episodes - 1)
        check_choice("set of goals", self.goals, GOALS)
        ChunkExecution.parse(self.chunks)
        for name in ("cameras", "modalities"):
            if (value := getattr(self, name)) is not None:
                self._set(name, check_names(name, value))
        for name in ("backends", "tasks", "perturbations"):
            values = check_names(name, getattr(self, name))
            if not values:
                raise OptionError(f"{name} must be a sequence of at least one name, got {values!r}")
            if len(set(values)) < len(values):
                raise OptionError(f"{name} has a name twice: {', '.join(values)}")
            self._set(name, values)
        if not isinstance(self.policy, str):
            raise OptionError(f"policy must be words for bomb.make_policy, got {self.policy!r}")
        check_flag("allow_training_split", self.allow_training_split)

    def _check_image_size(self) -> None:
        if self.image_size is not None:
            super()._check_image_size()

    def fitted(self, sight: Sight, *, privileged: bool) -> Self:
        """The same with cameras, size and modalities that the policy looks at, where none are asked for.

        Args:
            sight: what the policy declares.
            privileged: whether it needs no pictures.

        Raises:
            ConventionError: if something else is asked for than it looks at.
            OptionError, UnknownNameError: for cameras or modalities that do not exist.
        """
        usual = sight.seen(privileged=privileged)
        asked = {name: getattr(self, name) for name in DECLARED}
        chosen = replace(
            self,
            **{name: getattr(usual, name) if value is None else value for name, value in asked.items()},
        )
        shown = ObservationSpec(**{name: getattr(chosen, name) for name in DECLARED})
        sight.check(repr(self.policy), shown)
        return chosen

    def environment(self, *, task: str, backend: str, perturbations: object) -> EnvironmentSettings:
        """What the episodes of one condition are played in, of settings that are ``fitted``."""
        options = {"cameras": self.cameras, "modalities": self.modalities}
        return EnvironmentSettings.like(
            self, task=task, backend=backend, perturbations=perturbations, **options
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as the store and the result have them."""
        plain = asdict(self)
        plain.pop("allow_training_split")
        return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}


@dataclass(frozen=True, kw_only=True)
class ExecutionSettings:
    """How a run is carried out; the same run may be taken up again with others.

    Attributes:
        workers: processes; None: one a core (on Ray: one a core of the cluster).
        executor: ``"local"`` or ``"ray"``.
        ray_address: of a cluster that is running; None: ``RAY_ADDRESS``, else one on this machine.
        videos: which episodes are filmed: ``"none"``, ``"failures"`` or ``"all"``.
        states: of which episodes the full state of every step is kept.
        retries: how often an episode that ended with an error is played again.
        policy_timeout: seconds that a policy may take for one answer.
        episode_timeout: seconds that an episode may take.
        batch: how many observations a policy that can batch gets at once, at most.
        batch_wait_ms: how long a batch that is not full waits for more.
    """

    workers: int | None = None
    executor: str = "local"
    ray_address: str | None = None
    videos: str = "none"
    states: str = "none"
    retries: int = 2
    policy_timeout: float = 120.0
    episode_timeout: float = 1800.0
    batch: int = 16
    batch_wait_ms: float = 10.0

    def __post_init__(self) -> None:
        take_plain_numbers(self)
        if self.workers is not None:
            check_integer("workers", self.workers, least=1)
        check_choice("executor", self.executor, EXECUTORS)
        check_choice("choice of videos", self.videos, KEEP)
        check_choice("choice of states", self.states, KEEP)
        check_numbers(self, {"retries": NATURAL, "batch": POSITIVE})
        seconds = Number(whole=False, above=0, unit="seconds")
        wait = Number(whole=False, least=0)
        check_numbers(self, {"policy_timeout": seconds, "episode_timeout": seconds, "batch_wait_ms": wait})
        if not isinstance(self.ray_address, str | None):
            raise OptionError(f"ray_address must be text, or None, got {self.ray_address!r}")

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)
