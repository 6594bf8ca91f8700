"""What a dataset is collected with."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from typing import Any

from core.control.actions import ActionSpec
from core.errors import Number, OptionError, check_choice, check_names, plain_numbers, take_plain_numbers
from core.perturbations.base import Level
from core.perturbations.heldout import (
    HELD_OUT,
    HELDOUT_HASH,
    INTERSECTIONS,
    check_held_out,
    check_trainable,
    trainable,
)
from core.perturbations.presets import PRESETS, make_suite
from core.registry import BACKENDS, TASKS
from core.seeding import check_seed
from core.settings import EnvironmentSettings

# `test`, `parity` and `calibration` are what others are measured on.
SPLITS = ("train", "validation", "ci")

# By name, how much the expert varies.
SHARE = Number(whole=False, least=0, most=1)
DIVERSITY: dict[str, float] = {"none": 0.0, "low": 0.25, "medium": 0.5, "high": 1.0}


@dataclass(frozen=True, kw_only=True)
class CollectionSettings:
    """What is collected. Two datasets with equal settings have equal demonstrations.

    Attributes:
        backends: registered names; the engine of seed s is ``backends[s % len(backends)]``.
        task: registered name.
        split: out of ``SPLITS``.
        seed: of the first episode; the rest count up.
        perturbations: knob to severity or set; see ``chosen_levels``.
        held_out: out of ``core.perturbations.heldout.HELD_OUT``: what is left out.
        diversity: how much the expert varies, 0 to 1, or by kind of variety, those left out being 0; see
            ``bomb.policies.varied``.
        tail: actions that are kept after the first success, in which the expert keeps still; 0: an episode
            ends when success first holds. An evaluation plays on, so a policy must have seen that.
        action_mode, control_hz: see ``core.make_task``.
        max_steps: actions per episode; None takes the task's own.
    """

    backends: tuple[str, ...]
    task: str = "place_stone"
    split: str = "train"
    seed: int = 0
    perturbations: dict[str, Level] = field(default_factory=dict)
    held_out: tuple[str, ...] = tuple(HELD_OUT)
    diversity: float | dict[str, float] = 0.0
    tail: int = 0
    action_mode: str = "delta"
    control_hz: int = 20
    max_steps: int | None = None

    def __post_init__(self) -> None:
        take_plain_numbers(self)
        for name in ("backends", "held_out"):
            object.__setattr__(self, name, check_names(name, getattr(self, name)))
        if not self.backends or len(set(self.backends)) != len(self.backends):
            raise OptionError(f"backends must be one or more different names, got {self.backends!r}")
        for name in self.backends:
            BACKENDS.target(name)
        TASKS.target(self.task)
        check_choice("split to collect from", self.split, SPLITS)
        check_held_out(self.held_out)
        if not isinstance(self.perturbations, dict):
            raise OptionError(
                f"perturbations must be a dict of knob to severity or set, got {self.perturbations!r}"
            )
        object.__setattr__(
            self, "perturbations", {k: plain_numbers(v) for k, v in self.perturbations.items()}
        )
        check_trainable(self.perturbations, self.held_out)
        object.__setattr__(self, "seed", check_seed(self.seed))
        environment = self.environment(self.backends[0])  # checks the rest, and converts it
        for name in ("action_mode", "control_hz", "max_steps"):
            object.__setattr__(self, name, getattr(environment, name))
        Number(least=0).check("tail", self.tail)
        if not isinstance(self.diversity, dict):
            SHARE.check("diversity", self.diversity)
        else:
            for kind, level in self.diversity.items():
                SHARE.check(f"diversity of {kind}", level)

    @property
    def policy(self) -> str:
        """The words of the expert that plays, see ``bomb.policies.making``."""
        return f"varied_expert({self.diversity!r})" if self.diversity else "expert"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as ``dataset.json`` has them, with the held-out sets and their hash."""
        return {
            **asdict(self),
            "backends": list(self.backends),
            "held_out": {
                "sets": list(self.held_out),
                "intersections": sorted(map(list, INTERSECTIONS)) if "intersections" in self.held_out else [],
                "hash": HELDOUT_HASH,
            },
            "max_steps": self.steps,
            "policy": self.policy,
            "stop_on_success": not self.tail,
        }

    @property
    def steps(self) -> int:
        """Actions per episode at most."""
        return TASKS.load(self.task).max_steps if self.max_steps is None else self.max_steps

    def backend_of(self, seed: int) -> str:
        """The engine that the episode of a seed is played in."""
        return self.backends[seed % len(self.backends)]

    def check_backends(self) -> None:
        """Returns if every engine and the task can do the perturbations.

        Raises:
            CapabilityError: naming the knob.
        """
        task, suite = TASKS.load(self.task)(), make_suite(self.perturbations)
        for name in self.backends:
            suite.check(BACKENDS.load(name), task, ())

    def environment(self, backend: str) -> EnvironmentSettings:
        """What episodes are played in; it draws nothing."""
        return EnvironmentSettings(
            self.task,
            backend=backend,
            action_mode=self.action_mode,
            cameras=(),
            control_hz=self.control_hz,
            perturbations=self.perturbations,
            split=self.split,
            max_steps=self.max_steps,
            stop_on_success=not self.tail,
        )


def environment_of(settings: dict[str, Any], *, backend: str, **changes: object) -> EnvironmentSettings:
    """The world that a dataset's episodes were played in; it draws nothing, unless ``changes`` say so.

    Args:
        settings: of the dataset.
        backend: the engine, any.
        changes: options of ``core.make_task`` that are to be others.

    Raises:
        UnknownNameError, OptionError: for a value that is not allowed.
    """
    recorded = {name: settings[name] for name in EnvironmentSettings.names() if name in settings}
    return EnvironmentSettings(**{**recorded, "cameras": (), "backend": backend, **changes})


def action_spec_of(settings: dict[str, Any]) -> ActionSpec:
    """What the actions of a dataset mean, the workspace's floor under a lower table included.

    Args:
        settings: of the dataset.
    """
    return environment_of(settings, backend=settings["backends"][0]).action_spec


def chosen_levels(perturbations: object, held_out: tuple[str, ...]) -> dict[str, Level]:
    """The knobs to collect with.

    A preset asks for the sets that evaluation holds out; training gets their seen counterparts.

    Args:
        perturbations: as ``core.make_task`` takes them, without condition sets.
        held_out: out of ``core.perturbations.heldout.HELD_OUT``.

    Raises:
        OptionError: for a held-out set that is asked for by its name, and for a condition set.
        UnknownNameError: for an unknown knob or preset.
    """
    parts = list(perturbations) if isinstance(perturbations, (list, tuple)) else [perturbations]
    for k, part in enumerate(parts):
        levels = make_suite(part)
        if levels.conditions is not None:
            raise OptionError(
                "a condition set has episodes of its own; demonstrations take knobs and presets"
            )
        if isinstance(part, str) and part.partition(":")[0] in PRESETS:
            parts[k] = trainable(levels.levels, held_out)
        else:
            check_trainable(levels.levels, held_out)
    return dict(make_suite(parts).levels)


def diversity_of(words: str, kinds: Collection[str]) -> float | dict[str, float]:
    """How much the expert varies: ``high``, ``0.5``, ``height:1+speed:0.5``, ``high+pause:0``.

    Args:
        words: a level for all kinds, levels of kinds, or both, joined by ``+``; what is later counts.
        kinds: what varies, see ``bomb.policies.varied.VARIETIES``.

    Returns:
        One level if all are the same, else those that are not 0, by kind.

    Raises:
        OptionError: for a level that is none.
        UnknownNameError: for a kind that there is not.
    """
    levels = dict.fromkeys(kinds, 0.0)
    for part in words.split("+"):
        kind, colon, level = part.strip().rpartition(":")
        named = [check_choice("kind of diversity", kind, kinds)] if colon else kinds
        levels |= dict.fromkeys(named, _level(level))
    if len({*levels.values()}) == 1:
        return next(iter(levels.values()))
    return {kind: level for kind, level in levels.items() if level}


def _level(words: str) -> float:
    if words in DIVERSITY:
        return DIVERSITY[words]
    try:
        value = float(words)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise OptionError(f"diversity must be a number from 0 to 1 or {', '.join(DIVERSITY)}, got {words!r}")
    return value
