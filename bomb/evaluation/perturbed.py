"""Perturbations as a command line has them, one condition each.

::

    clean               the clean world
    bomb:3              a preset at a severity; "bomb" alone takes the preset's own
    board_pose:3        one knob
    board_pose:1-5      five conditions
    words:letters       a knob that has sets
    bomb:3+words:letters    a mixture
    study.json          a condition set, see core.perturbations.conditions
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.errors import OptionError
from core.perturbations import KNOBS
from core.perturbations.base import split_name
from core.perturbations.conditions import ConditionSet, read_conditions
from core.perturbations.presets import DEFAULT_SEVERITY, FIXED, PRESETS, make_suite

_RANGE = re.compile(r"(?P<name>[^:+]+):(?P<low>\d)-(?P<high>\d)")
HASH_LENGTH = 8  # of a condition set's hash in its label


@dataclass(frozen=True, kw_only=True, eq=False)
class Perturbed:
    """What is done to the clean world in a condition.

    Attributes:
        label: says it in one word, the same for the same thing.
        knob, severity, category: see ``bomb.runs.rows.Condition``.
        levels: every knob that is on to its severity or set.
        conditions: the condition set, where it comes out of a file.
    """

    label: str
    knob: str | None
    severity: int | None
    category: str
    levels: dict[str, Any]
    conditions: ConditionSet | None = None

    @property
    def option(self) -> object:
        """What ``core.make_task`` takes as ``perturbations``."""
        return self.conditions if self.conditions is not None else (self.levels or None)


CLEAN = Perturbed(label="clean", knob=None, severity=0, category="clean", levels={})


def read_perturbations(words: Iterable[str]) -> list[Perturbed]:
    """One entry per condition, in order; a range of severities is several.

    Raises:
        UnknownNameError: for an unknown knob, preset or set.
        OptionError: for a severity out of range, a range that is none, or the same condition twice.
        StateError: for a condition set that is damaged.
    """
    found: dict[str, Perturbed] = {}
    for word in words:
        for part in _spread(word.strip()):
            one = _read(part)
            if one.label in found:
                raise OptionError(f"perturbations have {one.label} twice")
            found[one.label] = one
    return list(found.values())


def _spread(word: str) -> list[str]:
    match = _RANGE.fullmatch(word)
    if not match:
        return [word]
    low, high = int(match["low"]), int(match["high"])
    if low > high:
        raise OptionError(f"perturbation {word!r} must count upwards")
    return [f"{match['name']}:{severity}" for severity in range(low, high + 1)]


def _read(word: str) -> Perturbed:
    if word.endswith(".json"):
        return _from_file(Path(word))
    parts = word.split("+")
    levels = dict(make_suite(parts).levels)
    if word == "clean":
        return CLEAN
    if len(parts) > 1:
        label = "+".join(_full(part) for part in parts)
        return Perturbed(label=label, knob=None, severity=None, category="mixture", levels=levels)
    label = _full(word)
    name, _, level = label.partition(":")
    return Perturbed(
        label=label,
        knob=name,
        severity=int(level) if level.isdigit() else None,
        category="preset" if name in PRESETS else KNOBS[split_name(name)[0]].family,
        levels=levels,
    )


def _full(word: str) -> str:
    """With the severity that a bare preset has."""
    return word if ":" in word or word not in PRESETS else f"{word}:{FIXED.get(word, DEFAULT_SEVERITY)}"


def _from_file(path: Path) -> Perturbed:
    conditions = read_conditions(path)
    levels = dict(make_suite(conditions).levels)
    inner = Perturbed(label="", knob=None, severity=None, category="mixture", levels=levels)
    if len(levels) == 1:
        ((name, level),) = levels.items()
        inner = _read(f"{name}:{level}")
    elif not levels:
        inner = CLEAN
    label = f"{path.name}#{conditions.hash[:HASH_LENGTH]}"
    return replace(inner, label=label, conditions=conditions)
