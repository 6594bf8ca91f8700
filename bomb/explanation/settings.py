"""What is explained, and how."""

from dataclasses import asdict, dataclass
from typing import Any

from bomb.evaluation.perturbed import read_perturbations
from bomb.explanation.moments import STAGES
from bomb.explanation.occluders import OCCLUDERS
from bomb.rollouts.chunks import ChunkExecution
from core.errors import OptionError, check_choice, check_integer, check_names, take_plain_numbers
from core.registry import BACKENDS, TASKS
from core.seeding import check_seed, check_split

PATHS = ("own", "expert")


@dataclass(frozen=True, kw_only=True)
class ExplanationSettings:
    """Which moments of which episodes are explained.

    Attributes:
        policy: words for ``bomb.make_policy``.
        backends, perturbations, task, split: as in ``bomb.evaluation.EvaluationSettings``.
        seeds: of the episodes.
        path: who plays: ``own``, the policy itself; ``expert``, so that every moment comes about, also for a
            policy that never gets there.
        stages: out of ``bomb.explanation.moments.STAGES``.
        grid: patches along a side of a picture, at most; None: the model's own.
        occluder: one of ``OCCLUDERS``.
        swaps: other intersections that the words are made to ask for, in each moment.
        exact: units of a model's inside that are restored exactly in each map, those of the greatest
            estimates; None: all.
        chunks: how chunks are executed on the way.
    """

    policy: str
    backends: tuple[str, ...]
    seeds: tuple[int, ...]
    task: str = "place_stone"
    perturbations: tuple[str, ...] = ("clean",)
    split: str = "test"
    path: str = "own"
    stages: tuple[str, ...] = STAGES
    grid: int | None = 8
    occluder: str = "mean"
    swaps: int = 4
    exact: int | None = 64
    chunks: str = "full"

    def __post_init__(self) -> None:
        take_plain_numbers(self)
        for name in ("backends", "perturbations", "stages"):
            object.__setattr__(self, name, check_names(name, getattr(self, name)))
        if not isinstance(self.policy, str):
            raise OptionError(f"policy must be words, got {self.policy!r}")
        if not isinstance(self.seeds, tuple):
            raise OptionError(f"seeds must be a sequence of seeds, got {self.seeds!r}")
        for seed in self.seeds:
            check_seed(seed)
        check_split(self.split)
        check_choice("path", self.path, PATHS)
        check_choice("occluder", self.occluder, OCCLUDERS)
        check_integer("swaps", self.swaps, least=0, most=24)
        for name in ("grid", "exact"):
            if getattr(self, name) is not None:
                check_integer(name, getattr(self, name), least=1)
        ChunkExecution.parse(self.chunks)
        for stage in self.stages:
            check_choice("stage", stage, STAGES)
        for name in ("backends", "seeds", "perturbations", "stages"):
            values = getattr(self, name)
            if not values or len(set(values)) < len(values):
                raise OptionError(f"{name} must be at least one, each once, got {values!r}")
        for backend in self.backends:
            check_choice("backend", backend, BACKENDS.names())
        check_choice("task", self.task, TASKS.names())
        read_perturbations(self.perturbations)

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        plain = asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}
