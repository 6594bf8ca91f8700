"""Runs as a report reads them, once: everything in memory but the series of the episodes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bomb.policies.words import PolicyWords
from bomb.runs.rows import Condition, EpisodeRow, ErrorRow
from bomb.runs.store import RunStore
from core.episode.record import EpisodeRecord
from core.errors import OptionError
from core.settings import APPEARANCE, EPISODE_OPTIONS

# Settings in which two runs must agree to be parts of one: what the policy is, sees and may do.
# The option ``renderer`` is ``drawn_by`` in a run, where ``renderer`` is the driver. Devices of one kind
# may share the work.
_OPTIONS = (name for name in EPISODE_OPTIONS if name not in ("split", "renderer", "device"))
IDENTITY = ("policy", "chunk", "cameras", "modalities", "drawn_by", *_OPTIONS)
SEEN = ("cameras", "modalities", *APPEARANCE, "drawn_by")  # another policy may well see something else
CEILINGS = ("feeler", "push")  # policies that go without eyes, or without grasping
BASELINES = ("blind", "mute", "masked")  # policies around others: without eyes, ears, or a part of either


@dataclass(frozen=True, kw_only=True, eq=False)
class LoadedRun:
    """One run folder.

    Attributes:
        name: unique among the runs of a report. path: of the folder.
        settings: as ``RunStore.settings`` has them.
        conditions: the matrix, in its order.
        episodes: condition key to seed to row.
        errors: every attempt that ended in an error. unplayed: the last of each episode without a result.
    """

    name: str
    path: Path
    settings: dict[str, Any]
    conditions: tuple[Condition, ...]
    episodes: dict[str, dict[int, EpisodeRow]]
    errors: tuple[ErrorRow, ...]
    unplayed: tuple[ErrorRow, ...]

    @property
    def policy(self) -> str:
        """The policy's words."""
        words: str = self.settings["policy"]["words"]
        return words

    @property
    def describe(self) -> dict[str, Any]:
        """What the policy says of itself."""
        return self.settings["policy"].get("describe") or {}

    @property
    def privileged(self) -> bool:
        """Whether the policy saw the true state."""
        return bool(self.settings["policy"].get("privileged"))

    @property
    def wrapped(self) -> tuple[str, str] | None:
        """(one of ``BASELINES``, words of the policy inside) if the policy is such a wrapper."""
        words = PolicyWords.parse(self.policy)
        around = words.name in BASELINES and words.inside is not None
        return (words.name, words.wrapped[0]) if around else None

    @property
    def ceiling(self) -> str | None:
        """``"feeler"`` or ``"push"`` if this is that policy; see ``bomb.report.ceilings``."""
        name = PolicyWords.parse(self.policy).name
        return name if name in CEILINGS else None

    @property
    def is_expert(self) -> bool:
        """Whether this is the scripted expert, undisturbed."""
        return PolicyWords.parse(self.policy).name == "expert"

    @property
    def trained(self) -> str | None:
        """``"clean"`` or ``"perturbed"``, by what the policy says it was trained on; None if it does not."""
        datasets = self.describe.get("trained_on")
        if not datasets:
            return None
        perturbed = any(d.get("perturbations") not in (None, "clean", "", [], {}) for d in datasets)
        return "perturbed" if perturbed else "clean"

    @property
    def rows(self) -> list[EpisodeRow]:
        """Every episode, by condition and seed."""
        return [row for rows in self.episodes.values() for row in rows.values()]

    def record(self, row: EpisodeRow) -> EpisodeRecord:
        """The series of an episode, read from the folder.

        Raises:
            FileError: if it was not kept or cannot be read.
        """
        with RunStore.open(self.path) as store:
            return store.record(row.condition, row.seed)

    def same_policy(self, other: "LoadedRun") -> bool:
        """Whether both runs are of the same policy under the same terms."""

        def identity(run: LoadedRun) -> str:
            return json.dumps([run.settings.get(name) for name in IDENTITY], sort_keys=True)

        return identity(self) == identity(other)

    def other_terms(self, other: "LoadedRun") -> list[str]:
        """The settings that differ, besides the policy and what it sees; see ``IDENTITY``."""
        names = (name for name in IDENTITY if name not in ("policy", *SEEN))
        return [name for name in names if self.settings.get(name) != other.settings.get(name)]

    def find(self, *, task: str, backend: str, split: str, perturbation: str) -> Condition | None:
        """The condition that is this one; None if the run does not have it."""
        wanted = (task, backend, split, perturbation)
        for condition in self.conditions:
            if where(condition) == wanted:
                return condition
        return None


def where(condition: Condition) -> tuple[str, str, str, str]:
    """What makes conditions of different runs the same: task, backend, split, perturbation."""
    return condition.task, condition.backend, condition.split, condition.perturbation


def load_runs(paths: Sequence[Path]) -> list[LoadedRun]:
    """Reads run folders; runs that are going on give what is finished.

    Raises:
        OptionError: without paths, or if one is given twice.
        FileError: if a folder holds no run, or one that is damaged.
    """
    paths = [Path(path) for path in paths]
    if not paths:
        raise OptionError("a report takes at least one run")
    places = [path.resolve() for path in paths]
    for place in places:
        if places.count(place) > 1:
            raise OptionError(f"{place} is given twice")
    return [_load(path, name) for path, name in zip(paths, _names(places), strict=True)]


def _load(path: Path, name: str) -> LoadedRun:
    with RunStore.open(path) as store:
        store.check()
        salt = store.settings().get("salt_sha256")
        # Scenes of another salt are others: they are in another split, as far as a report is concerned.
        conditions = tuple(
            replace(condition, split=f"{condition.split}-{salt[:12]}") if salt else condition
            for condition in store.conditions()
        )
        episodes: dict[str, dict[int, EpisodeRow]] = {condition.key: {} for condition in conditions}
        for row in store.episodes():
            episodes[row.condition][row.seed] = row
        return LoadedRun(
            name=name,
            path=path,
            settings=store.settings(),
            conditions=conditions,
            episodes=episodes,
            errors=tuple(store.errors()),
            unplayed=tuple(store.unplayed()),
        )


def _names(places: list[Path]) -> list[str]:
    """The last parts of the paths, as many as it takes to tell them apart."""
    for depth in range(1, 1 + max(len(place.parts) for place in places)):
        names = ["/".join(place.parts[-depth:]) for place in places]
        if len(set(names)) == len(names):
            return names
    return [str(place) for place in places]
