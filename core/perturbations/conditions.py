"""Condition sets: the exact perturbed episodes of a study, as a file with a hash of its content.

Draws are written down, not only seeds, so that a set means the same when the ranges of a knob change.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import OptionError, StateError
from core.perturbations.base import Level
from core.task import Episode

FORMAT = "bomb-conditions"
VERSION = 2  # raised with `core.seeding.DRAWS` where a task draws other scenes


@dataclass(frozen=True, kw_only=True, eq=False)
class ConditionSet:
    """Perturbed episodes of one task.

    Attributes:
        task: registered name.
        levels: the knobs, with severity or set, that the draws were made with.
        episodes: dicts of ``split``, ``seed``, ``goal`` and ``draws``.
    """

    task: str
    levels: dict[str, Level]
    episodes: tuple[dict[str, Any], ...]

    @property
    def hash(self) -> str:
        """SHA-256 of the content, in hexadecimal."""
        return _digest(self._content())

    def draws(self, split: str, seed: int) -> dict[str, dict[str, Any]]:
        """The draws of one episode.

        Raises:
            OptionError: if the set does not have it.
        """
        draws: dict[str, dict[str, Any]] = self._find(split, seed)["draws"]
        return draws

    def check_goal(self, episode: Episode) -> None:
        """Returns if an episode has the goal that the set wrote down.

        Raises:
            StateError: if it has another: the set was made with another version of the task.
        """
        goal = self._find(episode.split, episode.seed)["goal"]
        if episode.goal.to_dict() != goal:
            raise StateError(
                f"the condition set's episode {episode.split}/{episode.seed} has the goal {goal}, "
                f"the task makes {episode.goal.to_dict()}: another version wrote it"
            )

    def seeds(self, split: str) -> list[int]:
        """Seeds of the episodes of a split, in order."""
        return [entry["seed"] for entry in self.episodes if entry["split"] == split]

    def write(self, path: Path) -> None:
        """Writes the file, whole or not at all."""
        text = json.dumps(self.to_dict(), indent=1, sort_keys=True)
        path = Path(path)
        beside = path.with_name(path.name + ".part")
        beside.write_text(text + "\n")
        os.replace(beside, path)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as the file has them, with the hash."""
        return {**self._content(), "hash": self.hash}

    @classmethod
    def from_dict(cls, content: object, name: str = "that was given") -> "ConditionSet":
        """Inverse of ``to_dict``.

        Args:
            content: plain values.
            name: of the set, for messages.

        Raises:
            StateError: if it was edited, or is of another version.
        """
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise StateError(f"{name} is not a condition set: its format is not {FORMAT!r}")
        if content.get("version") != VERSION:
            raise StateError(f"condition set {name} is of version {content.get('version')!r}, not {VERSION}")
        content = dict(content)
        stored = content.pop("hash", None)
        if stored != _digest(content):
            raise StateError(
                f"condition set {name} was edited: its content does not have the hash {stored!r}"
            )
        return cls(task=content["task"], levels=content["levels"], episodes=tuple(content["episodes"]))

    def _content(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "version": VERSION,
            "task": self.task,
            "levels": self.levels,
            "episodes": list(self.episodes),
        }

    def _find(self, split: str, seed: int) -> dict[str, Any]:
        for entry in self.episodes:
            if entry["split"] == split and entry["seed"] == seed:
                return entry
        raise OptionError(
            f"the condition set has no episode {split}/{seed}; it has seeds {self.seeds(split)[:10]} ..."
        )


def read_conditions(path: Path) -> ConditionSet:
    """Reads a condition set.

    Raises:
        OptionError: if there is no such file.
        StateError: if it is truncated, was edited, or is of another version.
    """
    try:
        text = Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"cannot read the condition set {str(path)!r}: {error}") from error
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StateError(f"condition set {str(path)!r} is truncated or damaged: {error}") from error
    return ConditionSet.from_dict(content, repr(str(path)))


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
