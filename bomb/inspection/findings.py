"""What there is to say of a dataset."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.disk.files import FileError
from bomb.inspection.anomalies import Anomaly, anomalies
from bomb.inspection.sources import InspectedEpisode, Source
from core.board.boards import Cell

BINS = 40


@dataclass(kw_only=True)
class Findings:
    """What was found, in one pass over the episodes.

    Attributes:
        lengths: frames of every readable episode, by name.
        goals: how often each intersection was asked for; None if the dataset does not say.
        instructions: how often each was given.
        action_counts, action_edges: histogram of each dimension of the actions, int64[4, BINS] and
            float64[4, BINS + 1].
        path_lengths: way of the tool (m) of every readable episode.
        duplicates: names of episodes that hold the same states and actions.
        anomalies: all that should not be.
    """

    lengths: dict[str, int] = field(default_factory=dict)
    goals: Counter[Cell] | None = field(default_factory=Counter)
    instructions: Counter[str] = field(default_factory=Counter)
    action_counts: npt.NDArray[np.int64]
    action_edges: npt.NDArray[np.int64]
    path_lengths: list[float] = field(default_factory=list)
    duplicates: list[tuple[str, ...]] = field(default_factory=list)
    anomalies: list[Anomaly] = field(default_factory=list)

    @property
    def frames(self) -> int:
        """Of all readable episodes."""
        return sum(self.lengths.values())


def inspect_source(
    source: Source, bar: Callable[[Iterable[Any]], Iterable[Any]] = lambda names: names
) -> Findings:
    """Reads every episode once; a damaged one is an anomaly.

    Args:
        source: the dataset.
        bar: wraps the names, to show how far it is.

    Raises:
        FileError: if there is no episode.
    """
    names = source.names()
    if not names:
        raise FileError(f"{source.path} has no episodes")
    low, high = source.action_spec.low, source.action_spec.high
    edges = np.stack([np.linspace(a, b, BINS + 1) for a, b in zip(low, high, strict=True)])
    found = Findings(action_counts=np.zeros((len(low), BINS), dtype=np.int64), action_edges=edges)
    same: dict[str, list[str]] = {}
    for name in bar(names):
        try:
            episode = source.load(name)
        except FileError as error:
            found.anomalies.append(Anomaly(episode=name, kind="damaged", frame=None, words=str(error)))
            continue
        _count(found, episode)
        content = episode.states.tobytes() + episode.actions.tobytes() + episode.look.encode()
        digest = hashlib.sha256(content).hexdigest()
        same.setdefault(digest, []).append(name)
        found.anomalies += anomalies(episode, source.action_spec)
    found.duplicates = [tuple(names) for names in same.values() if len(names) > 1]
    return found


def _count(found: Findings, episode: InspectedEpisode) -> None:
    found.lengths[episode.name] = len(episode.actions)
    found.instructions.update(episode.instructions)
    if episode.goals is None:
        found.goals = None
    elif found.goals is not None:
        found.goals.update(episode.goals)
    for k, edges in enumerate(found.action_edges):
        values = episode.actions[:, k]
        values = np.clip(values[np.isfinite(values)], edges[0], edges[-1])
        found.action_counts[k] += np.histogram(values, edges)[0]
    steps = np.linalg.norm(np.diff(episode.states[:, :3], axis=0), axis=1)
    if np.isfinite(steps).all():
        found.path_lengths.append(float(steps.sum()))
