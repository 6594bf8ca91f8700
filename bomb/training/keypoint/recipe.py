"""What decides a training of ``keypoint``, as frozen values with checked numbers."""

from dataclasses import asdict, dataclass, field
from typing import Any

from core.errors import NATURAL, POSITIVE, Number, OptionError, check_choice, check_numbers
from core.perturbations.base import Level
from core.perturbations.presets import make_suite

RATE = Number(whole=False, above=0)


@dataclass(frozen=True, kw_only=True)
class LooksRecipe:
    """One way to draw the demonstrations.

    Attributes:
        backend: registered name of the engine that draws.
        perturbations: knobs that change only what is seen, by severity or set.
        looks: how many drawings of these knobs each demonstration gets.
        every: every so many demonstrations are drawn.
    """

    backend: str
    perturbations: dict[str, Level] = field(default_factory=dict)
    looks: int = 1
    every: int = 1

    def __post_init__(self) -> None:
        check_numbers(self, {"looks": POSITIVE, "every": POSITIVE})
        make_suite(self.perturbations)


@dataclass(frozen=True, kw_only=True)
class EyeRecipe:
    """How the two eyes, of the head camera and of the wrist camera, learn.

    Attributes:
        steps: of the optimiser, for each eye.
        batch: pictures per step.
        rate: greatest learning rate; it rises over the first twentieth and falls as a cosine to nothing.
        weight_decay: of AdamW.
        held_out: every so many demonstrations are measured and not learned from.
    """

    steps: int = 1200
    batch: int = 24
    rate: float = 2e-3
    weight_decay: float = 1e-4
    held_out: int = 12

    def __post_init__(self) -> None:
        check_numbers(
            self,
            {
                "steps": POSITIVE, "batch": POSITIVE, "rate": RATE, "held_out": POSITIVE,
                "weight_decay": Number(whole=False, least=0),
            },
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class PartRecipe:
    """How the reader of words, or the hand, learns: AdamW with a cosine.

    Attributes:
        steps: of the optimiser.
        batch: samples per step.
        rate: greatest learning rate.
    """

    steps: int
    batch: int
    rate: float

    def __post_init__(self) -> None:
        check_numbers(self, {"steps": POSITIVE, "batch": POSITIVE, "rate": RATE})


@dataclass(frozen=True, kw_only=True)
class KeypointRecipe:
    """A whole training of ``keypoint``.

    Attributes:
        name: of the recipe.
        policy: ``keypoint``; it tells this recipe from those of VLAs.
        looks: how the demonstrations are drawn.
        eye, words, hand: how the parts learn.
        seed: of weights, order and augmentation.
        threads: of torch; None leaves it to torch.
    """

    name: str
    policy: str
    looks: tuple[LooksRecipe, ...]
    eye: EyeRecipe = field(default_factory=EyeRecipe)
    words: PartRecipe = field(default_factory=lambda: PartRecipe(steps=1500, batch=256, rate=5e-3))
    hand: PartRecipe = field(default_factory=lambda: PartRecipe(steps=4000, batch=256, rate=2e-3))
    seed: int = 0
    threads: int | None = 1

    def __post_init__(self) -> None:
        check_choice("policy", self.policy, ("keypoint",))
        check_numbers(self, {"seed": NATURAL, "threads": Number(least=1, optional=True)})
        if not self.looks:
            raise OptionError("looks is empty: there would be nothing to see")

    @property
    def steps(self) -> int:
        """Of the optimisers, over all parts."""
        return self.words.steps + self.hand.steps + 2 * self.eye.steps

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "looks": [asdict(looks) for looks in self.looks]}
