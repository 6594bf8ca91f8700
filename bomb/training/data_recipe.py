"""What is learned from: sources, how they are mixed, and which episodes are held out."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bomb.demonstrations.moments import Moments
from bomb.integrations.actions import ActionConvention
from core.errors import NATURAL, Number, OptionError, check_choice, check_flag, check_numbers

TAILS = ("mask", "hold")


@dataclass(frozen=True, kw_only=True)
class LeRobotRecipe:
    """What the features of a LeRobotDataset mean; as it stands, BOMB's own exports with deltas.

    Attributes:
        cameras: feature of each of the model's cameras; ``observation.images.CAMERA`` of those left out.
        state: feature with the proprioception.
        state_entries: which of its numbers are x, y, z (m, in the robot's base frame) and the opening of the
            gripper (0 closed, 1 open).
        action: feature with the actions.
        convention: what their numbers mean.
    """

    cameras: dict[str, Any] = field(default_factory=dict)
    state: str = "observation.state"
    state_entries: tuple[int, int, int, int] = (0, 1, 2, 3)
    action: str = "action"
    convention: ActionConvention = field(default_factory=ActionConvention)

    def __post_init__(self) -> None:
        for entry in self.state_entries:
            NATURAL.check("state_entries", entry)


@dataclass(frozen=True, kw_only=True)
class SourceRecipe:
    """One dataset.

    Attributes:
        folder: of `bomb collect`, or a LeRobotDataset (v2.1, v3.0); None: the next of ``--data``.
        backends: engines that draw the demonstrations, each all of them; empty: the one each was played in.
        perturbations: knobs that change what is seen and said, as ``core.make_task`` takes them.
        episodes: how many to learn from, the first of a fixed random order, so that smaller subsets are part
            of larger ones; None: all.
        weight: of the source in a mixture; None: as many parts as it has moments.
        lerobot: what the features of a LeRobotDataset mean.
    """

    folder: str | None = None
    backends: tuple[str, ...] = ()
    perturbations: dict[str, Any] = field(default_factory=dict)
    episodes: int | None = None
    weight: float | None = None
    lerobot: LeRobotRecipe = field(default_factory=LeRobotRecipe)

    def __post_init__(self) -> None:
        check_numbers(
            self,
            {
                "episodes": Number(least=1, optional=True),
                "weight": Number(whole=False, least=0, optional=True),
            },
        )

    @property
    def path(self) -> Path:
        """Its folder.

        Raises:
            OptionError: if the recipe leaves it to ``--data``, and nothing was put there.
        """
        if self.folder is None:
            raise OptionError("a source has no folder: name it in the recipe or with --data")
        return Path(self.folder)


@dataclass(frozen=True, kw_only=True)
class PhaseRecipe:
    """A part of the training with a mixture of its own, such as post-training on the target alone.

    Attributes:
        share: of all steps.
        weights: of the sources, in their order.
    """

    share: float
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        Number(whole=False, above=0, most=1).check("share", self.share)
        for weight in self.weights:
            Number(whole=False, least=0).check("weights", weight)
        if not sum(self.weights) > 0:
            raise OptionError(f"weights must have a positive sum, got {list(self.weights)}")


@dataclass(frozen=True, kw_only=True)
class DataRecipe:
    """What is learned from.

    Attributes:
        sources: datasets; empty: one per folder of ``--data``.
        phases: in their order, shares in sum 1; empty: one phase with the sources' weights.
        held_out: episodes of each source that are measured and not learned from: a number of episodes, or a
            share below 1; at least one.
        every: of the moments of an episode every so many is drawn and learned from; chunks have all actions.
        moments: so many moments of each episode are, spread over it; None: all, or those of ``every``.
        visual_draws: how often each demonstration is drawn, each time with other draws of the knobs that
            change only what is seen and said.
        tail: what a chunk is beyond an episode's end: ``mask`` leaves it out of the loss, ``hold`` takes
            actions that keep still.
        drop_noops: whether moments in which nothing is commanded are left out.
        visible: whether labels say what is covered (``bomb.training.episodes.Episode``); it draws longer.
        depth: whether depth is drawn and stored, too, for models that look at it.
        supersample: see ``core.make_task``.
        subset_seed: of the order of the episodes.
    """

    sources: tuple[SourceRecipe, ...] = ()
    phases: tuple[PhaseRecipe, ...] = ()
    held_out: float = 0.1
    every: int = 1
    moments: int | None = None
    visual_draws: int = 1
    tail: str = "mask"
    drop_noops: bool = False
    visible: bool = False
    depth: bool = False
    supersample: int | None = None
    subset_seed: int = 0

    def __post_init__(self) -> None:
        check_choice("tail", self.tail, TAILS)
        optional = Number(least=1, optional=True)
        check_numbers(
            self,
            {
                "visual_draws": Number(least=1), "subset_seed": NATURAL, "supersample": optional,
                "held_out": Number(whole=False, above=0),
            },
        )  # fmt: skip
        Moments(every=self.every, count=self.moments)
        if self.held_out >= 1 and self.held_out != int(self.held_out):
            raise OptionError(
                f"held_out must be a share below 1 or a number of episodes, got {self.held_out}"
            )
        for name in ("drop_noops", "visible", "depth"):
            check_flag(name, getattr(self, name))
        if self.phases and abs(sum(phase.share for phase in self.phases) - 1) > 1e-6:
            raise OptionError(
                f"shares of the phases must sum up to 1, got {sum(p.share for p in self.phases):g}"
            )
        if self.phases and self.sources:
            for phase in self.phases:
                if len(phase.weights) != len(self.sources):
                    raise OptionError(
                        f"a phase needs a weight for each of the {len(self.sources)} sources, "
                        f"got {len(phase.weights)}"
                    )
