"""Sources on disk as what a model is asked and what it is to answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bomb.models.codecs.actions import from_bomb
from bomb.models.codecs.statistics import DatasetStatistics, Statistics
from bomb.models.requests import HALF, Request
from bomb.training.augmentation import augmented, moved_points
from bomb.training.data_recipe import DataRecipe
from bomb.training.episodes import Episode, Frames
from bomb.training.recipe import ModelRecipe, Recipe
from bomb.training.sampler import Draw, Phase
from core.errors import ConventionError, OptionError

GRIPPER_MASK = {4: [True, True, True, False], 7: [True] * 6 + [False]}


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """A dataset as it was drawn, and which of its episodes are learned from.

    Attributes:
        name: of it, for messages.
        frames: on disk; several where several engines drew it.
        learned, held_out: (index in ``frames``, episode, moment) of every moment, int64[N, 3].
        weight: in the mixture; None: as many parts as it has moments.
        provenance: what a checkpoint says about it.
        action_mode, control_hz: what its actions mean.
    """

    name: str
    frames: tuple[Frames, ...]
    learned: np.ndarray
    held_out: np.ndarray
    provenance: dict[str, Any]
    weight: float | None = None
    action_mode: str = "delta"
    control_hz: int = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingSamples:
    """Questions with their answers.

    Attributes:
        requests: B of them.
        actions: float32[B, chunk, 4], in BOMB's terms.
        valid: bool[B, chunk], which of them count.
        seeds: (seed, step) of each, for noise.
        stages: int8[B], see ``bomb.demonstrations.stages``; -1 where unknown.
        names: where each is from, for messages.
        swapped: each sample's instruction with row and column exchanged; empty where there is none.
        labels: for auxiliary objectives: ``cells`` int64[B, 2], ``targets`` float32[B, cameras, 3],
            ``occupancy`` int8[B, n] where all have it, and those of ``Episode.labels`` that all have.
    """

    requests: list[Request]
    actions: np.ndarray
    valid: np.ndarray
    seeds: list[tuple[int, int]]
    stages: np.ndarray
    names: list[str]
    swapped: list[str]
    labels: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.requests)


class SampleReader:
    """Reads samples.

    Args:
        sources: all of one action mode and control rate.
        recipe: of the training.

    Raises:
        ConventionError: naming the sources that mean different things by their actions.
    """

    def __init__(self, sources: Sequence[Source], recipe: Recipe):
        check_alike(sources, recipe.model)
        check_labels(sources, recipe)
        self.sources, self._model, self._data = tuple(sources), recipe.model, recipe.data
        self._augmentation, self._seed = recipe.augmentation, recipe.seed

    def count(self, draws: Sequence[Draw]) -> np.ndarray:
        """How many actions of each sample count, int64[B]; nothing is read for it."""
        return np.array([self._valid(self._episode(draw)) for draw in draws])

    def learned(self, draws: Sequence[Draw]) -> TrainingSamples:
        """Samples to learn from, augmented."""
        found = [self._episode(draw) for draw in draws]
        samples = self._samples(found, [(self._seed, draw.number) for draw in draws])
        seeds = [(self._seed, 3, draw.number) for draw in draws]
        changed = [
            augmented(request, self._augmentation, seed=seed)
            for request, seed in zip(samples.requests, seeds, strict=True)
        ]
        targets = [
            moved_points(seen, self._model.cameras, self._model.image_size, self._augmentation, seed=seed)
            for seen, seed in zip(samples.labels["targets"], seeds, strict=True)
        ]
        labels = {**samples.labels, "targets": np.stack(targets)}
        return TrainingSamples(**{**vars(samples), "requests": changed, "labels": labels})

    def held_out(self, most: int | None) -> list[tuple[Source, np.ndarray]]:
        """The held-out moments that are measured, evenly spread: (source, int64[3]) each."""
        every = [(source, place) for source in self.sources for place in source.held_out]
        if most is None or len(every) <= most:
            return every
        return [every[k] for k in np.linspace(0, len(every) - 1, most).round().astype(int)]

    def measured(self, places: Sequence[tuple[Source, np.ndarray]], first: int) -> TrainingSamples:
        """Samples to measure, as they are; ``first`` is the number of the first, for noise."""
        return self._samples(list(places), [(first + k, 0) for k in range(len(places))])

    def _episode(self, draw: Draw) -> tuple[Source, np.ndarray]:
        source = self.sources[draw.source]
        return source, source.learned[draw.moment]

    def _valid(self, found: tuple[Source, np.ndarray]) -> int:
        source, (part, episode, k) = found
        there: Episode = source.frames[part].episodes[episode]
        if self._data.tail == "hold":
            return self._model.chunk
        return int(min(self._model.chunk, there.ends[k] - there.rows[k]))

    def _samples(
        self, found: list[tuple[Source, np.ndarray]], seeds: list[tuple[int, int]]
    ) -> TrainingSamples:
        requests, chunks, stages, names, labels, swapped, more = [], [], [], [], [], [], []
        for source, (part, number, k) in found:
            frames = source.frames[part]
            episode = frames.episodes[number]
            requests.append(self._request(frames, int(number), int(k)))
            chunks.append(self._chunk(frames, int(number), int(k)))
            stages.append(episode.stages[k])
            swapped.append(episode.swapped[episode.asked[k]])
            labels.append((episode.cells[k], episode.targets[k], episode.occupancy[k]))
            more.append({name: label[k] for name, label in episode.labels.items()})
            names.append(f"{source.name}, episode {episode.number}, step {episode.rows[k]}")
        cells, targets, occupancy = zip(*labels, strict=True)
        known = {"cells": np.stack(cells), "targets": np.stack(targets)}
        if len({len(board) for board in occupancy}) == 1 and len(occupancy[0]):
            known["occupancy"] = np.stack(occupancy)
        for name in set.intersection(*(set(one) for one in more)):
            known[name] = np.stack([one[name] for one in more])
        return TrainingSamples(
            requests=requests,
            actions=np.stack([chunk for chunk, _ in chunks]),
            valid=np.stack([valid for _, valid in chunks]),
            seeds=seeds,
            stages=np.array(stages, dtype=np.int8),
            names=names,
            swapped=swapped,
            labels=known,
        )

    def _request(self, frames: Frames, number: int, k: int) -> Request:
        # A history shorter than asked for begins with its first moment again, as a policy's does.
        moments = [max(k - back, 0) for back in range(self._model.history - 1, -1, -1)]
        # After the last moment nothing moves.
        last = len(frames.episodes[number].rows) - 1
        later = [min(k + ahead, last) for ahead in range(1, self._model.future + 1)]
        return Request(
            **self._moment(frames, number, moments[-1]),
            history=tuple(
                Request(**self._moment(frames, number, m), answer=self._chunk(frames, number, m))
                for m in moments[:-1]
            ),
            future=tuple(Request(**self._moment(frames, number, m)) for m in later),
        )

    def _chunk(self, frames: Frames, number: int, k: int) -> tuple[np.ndarray, np.ndarray]:
        """What was done from a moment on, and which of it counts."""
        hold, mode = self._data.tail == "hold", self._model.convention.action_mode
        return frames.episodes[number].chunk(k, self._model.chunk, hold=hold, mode=mode)

    def _moment(self, frames: Frames, number: int, k: int) -> dict[str, Any]:
        episode, pictures = frames.episodes[number], frames.pictures(number, k)
        moment = {
            "pictures": {c: np.array(p) for c, p in zip(self._model.cameras, pictures, strict=True)},
            "instruction": episode.texts[episode.asked[k]],
            "state": episode.states[k],
        }
        if frames.deep:  # as an observation with the modalities depth and intrinsics
            matrices = episode.labels["intrinsics"][k].astype(np.float64) + HALF
            moment["depth"] = dict(zip(self._model.cameras, np.array(frames.depth(number, k)), strict=True))
            moment["intrinsics"] = dict(zip(self._model.cameras, matrices, strict=True))
        return moment


def check_alike(sources: Sequence[Source], model: ModelRecipe) -> None:
    """Returns if all sources mean the same by their actions, and what the model is to learn.

    Raises:
        ConventionError: naming two that do not.
        OptionError: if there is none.
    """
    if not sources:
        raise OptionError("there is nothing to learn from: name a dataset")
    for source in sources:
        for name in ("action_mode", "control_hz"):
            here, first = getattr(source, name), getattr(sources[0], name)
            if here != first:
                raise ConventionError(
                    f"{source.name} has {name} {here!r}, {sources[0].name} has {first!r}: a model learns one"
                )
        if source.action_mode != model.convention.action_mode:
            raise ConventionError(
                f"{source.name} has action_mode {source.action_mode!r}, the recipe's convention says "
                f"{model.convention.action_mode!r}"
            )
        sets = [tuple(sorted(s.provenance.get("held_out", {}).get("sets", ()))) for s in (source, sources[0])]
        if sets[0] != sets[1]:
            raise ConventionError(
                f"{source.name} holds out {', '.join(sets[0]) or 'nothing'}, {sources[0].name} "
                f"{', '.join(sets[1]) or 'nothing'}: what a model has not seen would be unclear"
            )


def check_labels(sources: Sequence[Source], recipe: Recipe) -> None:
    """Returns if all sources know what the auxiliary objectives of a recipe are to learn.

    Raises:
        OptionError: naming the source and the objective.
    """
    lines = recipe.auxiliary.lines
    for name in recipe.auxiliary.wanted:
        for source in sources:
            used = np.unique(np.concatenate([source.learned, source.held_out])[:, :2], axis=0)
            episodes = [source.frames[part].episodes[number] for part, number in used]
            knows = {
                "cell": all(((e.cells >= 0) & (e.cells < lines)).all() for e in episodes),
                "pixel": any(e.targets[..., 2].any() for e in episodes),
                "contrast": any(e.targets[..., 2].any() for e in episodes),
                "occupancy": all(e.occupancy.shape[1] == lines**2 for e in episodes),
            }[name]
            if not knows:
                raise OptionError(
                    f"{source.name} does not say what auxiliary.{name} is to learn on a board of "
                    f"{lines} x {lines} lines; leave it out"
                )


def phases_of(sources: Sequence[Source], data: DataRecipe, samples: int) -> list[Phase]:
    """The mixtures of a training of so many samples.

    Raises:
        OptionError: if a phase has not a weight for every source.
    """
    if not data.phases:
        own = [len(s.learned) if s.weight is None else s.weight for s in sources]
        return [Phase(first=0, weights=_shares(own))]
    made, first = [], 0.0
    for phase in data.phases:
        if len(phase.weights) != len(sources):
            raise OptionError(
                f"a phase needs a weight for each of the {len(sources)} sources, got {len(phase.weights)}"
            )
        made.append(Phase(first=round(first * samples), weights=_shares(phase.weights)))
        first += phase.share
    return made


def statistics_of(sources: Sequence[Source], model: ModelRecipe) -> DatasetStatistics:
    """Of the actions and states that are learned from, in the model's convention."""
    actions, states, episodes = [], [], 0
    for source in sources:
        for part, number in np.unique(source.learned[:, :2], axis=0):
            episode = source.frames[part].episodes[number]
            actions.append(from_bomb(model.convention, episode.actions))
            states.append(episode.states)
            episodes += 1
    mask = np.array(GRIPPER_MASK[model.convention.dims])
    every = np.concatenate(actions)
    return DatasetStatistics(
        action=Statistics.of(every, mask),
        proprio=Statistics.of(np.concatenate(states)),
        transitions=len(every),
        trajectories=episodes,
    )


def chunks_of(sources: Sequence[Source], model: ModelRecipe, most: int = 20_000) -> np.ndarray:
    """Chunks that are learned from, float32[N, chunk, 4]: all, or ``most`` of them, evenly spread."""
    places = [(source, place) for source in sources for place in source.learned]
    if len(places) > most:
        places = [places[k] for k in np.linspace(0, len(places) - 1, most).round().astype(int)]
    mode = model.convention.action_mode
    return np.stack(
        [
            source.frames[part].episodes[number].chunk(int(k), model.chunk, hold=True, mode=mode)[0]
            for source, (part, number, k) in places
        ]
    )


def _shares(weights: Sequence[float]) -> tuple[float, ...]:
    total = sum(weights)
    if not total > 0:
        raise OptionError(f"weights of the sources must have a positive sum, got {list(weights)}")
    return tuple(float(weight) / total for weight in weights)
