"""Studies: several trainings that differ in what is studied, each played under the same conditions."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from bomb.disk.files import FileError
from bomb.disk.plain import build
from bomb.rollouts.chunks import ChunkExecution
from bomb.training.reading import RecipeError, read_entries, read_recipe
from bomb.training.recipe import Recipe
from bomb.training.small.recipe import SmallRecipe
from bomb.training.sources import named_sources
from core.errors import NATURAL, POSITIVE, BombError, OptionError, check_choice, check_numbers

EQUAL = ("steps", "epochs")


@dataclass(frozen=True, kw_only=True)
class StudyRecipe:
    """What is trained and played; every arm with every number of episodes, drawing and seed.

    Attributes:
        name: of the study.
        recipe: YAML file of the training, beside the study's: of a VLA, or of ``small-vla``.
        arms: name to what it changes in the recipe, by dotted name; empty: the recipe as it is.
        episodes: how many demonstrations are learned from; smaller sets are part of larger ones. Empty: as
            the recipe says.
        equal: with ``episodes``: whether all make as many ``steps``, or as many ``epochs`` (as the largest
            number makes by the recipe's steps), or one after the other both.
        drawn: name to knobs that the demonstrations are drawn with; empty: as the recipe says. With
            ``small-vla`` they take the place of those of every look.
        seeds: of the trainings; what they spread is the interval of a result.
        perturbations: conditions that each is played under, as `bomb evaluate` takes them.
        chunks: ways to execute a chunk that each is played in.
        scenes: of each condition in each engine.
        backends: engines that play.
        split: of the scenes.
    """

    name: str
    recipe: str
    arms: dict[str, Any] = field(default_factory=dict)
    episodes: tuple[int, ...] = ()
    equal: tuple[str, ...] = ("steps",)
    drawn: dict[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0, 1, 2)
    perturbations: tuple[str, ...] = ("clean",)
    chunks: tuple[str, ...] = ("full",)
    scenes: int = 50
    backends: tuple[str, ...] = ("mujoco",)
    split: str = "test"

    def __post_init__(self) -> None:
        check_numbers(self, {"scenes": POSITIVE})
        for name, number in (("episodes", POSITIVE), ("seeds", NATURAL)):
            for value in getattr(self, name):
                number.check(name, value)
        for name in ("seeds", "equal", "perturbations", "chunks", "backends"):
            values = getattr(self, name)
            if not values or len(set(values)) < len(values):
                raise OptionError(f"{name} must name each of its values once, got {list(values)}")
        for value in self.equal:
            check_choice("equal", value, EQUAL)
        for words in self.chunks:
            ChunkExecution.parse(words)
        for name in ("arms", "drawn"):
            for arm, changes in getattr(self, name).items():
                if not isinstance(changes, dict):
                    raise OptionError(f"{name}.{arm} must be a mapping, got {changes!r}")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        plain = asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}


@dataclass(frozen=True, kw_only=True)
class Training:
    """One training of a study.

    Attributes:
        arm: its name; empty where there is one.
        episodes, equal, drawn: what it is of the study's; None where the study does not vary them.
        recipe: of the training, with its seed.
    """

    arm: str
    episodes: int | None
    equal: str | None
    drawn: str | None
    recipe: Recipe | SmallRecipe

    @property
    def steps(self) -> int:
        """Of the optimisers, over all of its parts."""
        return self.recipe.steps if isinstance(self.recipe, Recipe) else self.recipe.steps(eyes=True)

    @property
    def cell(self) -> dict[str, Any]:
        """What tells it from the study's others, but for the seed; what does not vary is left out."""
        plain = {"arm": self.arm or None, "episodes": self.episodes, "equal": self.equal, "drawn": self.drawn}
        return {name: value for name, value in plain.items() if value is not None}

    @property
    def folder(self) -> str:
        """Where it is in the study's folder."""
        parts = [f"{name}_{value}" for name, value in self.cell.items()] + [f"seed_{self.recipe.seed}"]
        return "-".join(re.sub(r"[^A-Za-z0-9_.]+", "_", part) for part in parts)


def read_study(file: Path | str) -> StudyRecipe:
    """Reads a study.

    Raises:
        RecipeError: in one line, naming the file, the entry and what is valid.
    """
    file = Path(file)
    values = read_entries(file)
    values.setdefault("name", file.stem)
    try:
        study: StudyRecipe = build(StudyRecipe, values)
        return study
    except BombError as error:
        raise RecipeError(f"{file}: {error}") from error


def trainings(study: StudyRecipe, file: Path, folders: tuple[Path, ...]) -> list[Training]:
    """Every training of a study; all recipes are read before anything is drawn.

    Args:
        study: of the file.
        file: which the recipe's name starts from.
        folders: of ``--data``.

    Raises:
        RecipeError, OptionError: for a recipe that cannot be used.
    """
    base = Path(file).parent / study.recipe
    drawings: list[tuple[str | None, dict[str, Any] | None]] = [*study.drawn.items()] or [(None, None)]
    made = []
    for arm, changes in (study.arms or {"": {}}).items():
        try:
            small = read_entries(base).get("policy") == "small-vla"
            recipe: Recipe | SmallRecipe = (
                read_recipe(base, changes, kind=SmallRecipe) if small else read_recipe(base, changes)
            )
        except FileError as error:
            raise RecipeError(f"{file}, arm {arm!r}: {error}") from error
        for drawn, knobs in drawings:
            for episodes, equal, share in _amounts(study):
                varied = _varied(recipe, folders, episodes, knobs, share)
                for seed in study.seeds:
                    one = replace(varied, seed=seed)
                    made.append(
                        Training(arm=str(arm), episodes=episodes, equal=equal, drawn=drawn, recipe=one)
                    )
    names = [training.folder for training in made]
    if len(set(names)) < len(names):
        raise OptionError(f"{file}: two arms have names that are alike but for signs: {', '.join(names)}")
    return made


def _varied(
    recipe: Recipe | SmallRecipe, folders: tuple[Path, ...], episodes: int | None,
    knobs: dict[str, Any] | None, share: float,
) -> Recipe | SmallRecipe:  # fmt: skip
    """A recipe with fewer demonstrations, other knobs, and a share of its steps."""
    if isinstance(recipe, SmallRecipe):
        looks = recipe.looks
        if knobs is not None:
            looks = tuple(replace(one, perturbations=knobs) for one in looks)
        return replace(
            recipe, looks=looks, demonstrations=recipe.demonstrations if episodes is None else episodes,
            eye=replace(recipe.eye, steps=_fewer(recipe.eye.steps, share)),
            together=replace(recipe.together, steps=_fewer(recipe.together.steps, share)),
        )  # fmt: skip
    data = recipe.data
    if knobs is not None or episodes is not None:
        sources = [
            replace(
                source,
                perturbations=source.perturbations if knobs is None else knobs,
                episodes=source.episodes if episodes is None else episodes,
            )
            for source in named_sources(data, folders)
        ]
        data = replace(data, sources=tuple(sources))
    steps = _fewer(recipe.steps, share)
    warm_up = min(recipe.optimiser.warm_up, steps)
    return replace(recipe, data=data, steps=steps, optimiser=replace(recipe.optimiser, warm_up=warm_up))


def _fewer(steps: int, share: float) -> int:
    return max(1, round(steps * share))


def _amounts(study: StudyRecipe) -> Iterator[tuple[int | None, str | None, float]]:
    """Numbers of demonstrations, what is made equal, and the share of the recipe's steps."""
    if not study.episodes:
        yield None, None, 1.0
        return
    for equal in study.equal:
        for episodes in study.episodes:
            yield episodes, equal, episodes / max(study.episodes) if equal == "epochs" else 1.0
