"""What decides a training of ``small-vla``, as frozen values with checked numbers."""

from dataclasses import asdict, dataclass, field
from typing import Any

from bomb.training.keypoint.recipe import RATE, EyeRecipe, LooksRecipe, PartRecipe
from bomb.training.recipe import parse_rule
from core.errors import NATURAL, POSITIVE, Number, OptionError, check_choice, check_numbers


@dataclass(frozen=True, kw_only=True)
class TogetherRecipe:
    """How the whole network learns actions from pictures and words.

    Attributes:
        steps: of the optimiser.
        batch: scenes per step, each of them looked at ``looks`` times.
        looks: moments of a scene that follow one another, the first at the beginning of an episode.
        rate: greatest learning rate; it rises over the first twentieth and falls as a cosine to nothing.
        eyes: share of it that the eyes learn at.
        points: weight of where stone and goal are, per centimetre.
        maps: weight of the eyes' maps.
        keep: every so many steps a checkpoint is kept and measured on what is held out; 0: the last alone.
    """

    steps: int = 2000
    batch: int = 8
    looks: int = 3
    rate: float = 5e-4
    eyes: float = 1.0
    points: float = 1.0
    maps: float = 0.3
    keep: int = 0

    def __post_init__(self) -> None:
        least = Number(whole=False, least=0)
        check_numbers(
            self,
            {
                "steps": POSITIVE, "batch": POSITIVE, "looks": Number(least=2, most=8), "rate": RATE,
                "eyes": least, "points": least, "maps": least, "keep": NATURAL,
            },
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SmallRecipe:
    """A whole training of ``small-vla``.

    Attributes:
        name: of the recipe.
        policy: ``small-vla``; it tells this recipe from others.
        looks: how the demonstrations are drawn.
        eye: how the eyes learn key points first; with ``--start`` they are taken from a ``keypoint``.
        words, hand: how these parts learn first.
        together: how all of it learns then.
        execute: actions of a chunk that are carried out before the next look, at least.
        demonstrations: how many of each folder are learned from, the first of a fixed random order; None:
            all. What is held out stays the same.
        select: which of the kept checkpoints is the result, see ``bomb.training.recipe.Recipe``.
        seed: of weights, order and augmentation.
        threads: of torch; None leaves it to torch.
    """

    name: str
    policy: str
    looks: tuple[LooksRecipe, ...]
    eye: EyeRecipe = field(default_factory=EyeRecipe)
    words: PartRecipe = field(default_factory=lambda: PartRecipe(steps=800, batch=128, rate=5e-3))
    hand: PartRecipe = field(default_factory=lambda: PartRecipe(steps=4000, batch=256, rate=2e-3))
    together: TogetherRecipe = field(default_factory=TogetherRecipe)
    execute: int = 4
    demonstrations: int | None = None
    select: str = "last"
    seed: int = 0
    threads: int | None = 1

    def __post_init__(self) -> None:
        check_choice("policy", self.policy, ("small-vla",))
        some = Number(least=1, optional=True)
        check_numbers(
            self, {"execute": POSITIVE, "seed": NATURAL, "threads": some, "demonstrations": some}
        )  # fmt: skip
        kind, _ = parse_rule(self.select)
        if kind != "last" and not self.together.keep:
            raise OptionError(
                f"select {self.select!r} chooses among checkpoints, and together.keep = 0 keeps only the last"
            )
        if not self.looks:
            raise OptionError("looks is empty: there would be nothing to see")

    def steps(self, *, eyes: bool) -> int:
        """Of the optimisers, over all parts; with those of the eyes, or without."""
        return self.words.steps + self.hand.steps + self.together.steps + 2 * self.eye.steps * eyes

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "looks": [asdict(looks) for looks in self.looks]}
