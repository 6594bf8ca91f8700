"""Every error BOMB raises on purpose, under one root.

A message names the bad value and the valid ones; the helpers below build it from facts, so that
no caller words it anew.
"""

import math
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Any


class BombError(Exception):
    """Root of all errors raised by BOMB."""


class OptionError(BombError, ValueError):
    """An option has a value that is not allowed."""


class UnknownNameError(BombError, LookupError):
    """A name (task, backend, camera, policy, ...) that is not registered.

    Attributes:
        kind: what was looked up, for example ``"backend"``.
        name: the name that was asked for.
        valid: the names that exist, sorted.
    """

    def __init__(self, kind: str, name: object, valid: Iterable[str]):
        self.kind, self.name, self.valid = kind, name, sorted(valid)
        super().__init__(f"unknown {kind} {name!r}; valid: {', '.join(self.valid) or '(none)'}")


class RegistrationError(BombError):
    """A name is registered twice, or what it points at cannot be imported."""


class ActionError(BombError, ValueError):
    """An action that cannot be executed. The world has not moved."""


class StateError(BombError, ValueError):
    """A saved state that is damaged, of another version, or of another scene."""


class LifecycleError(BombError, RuntimeError):
    """A call out of order: step before reset, anything after close."""


class CapabilityError(BombError):
    """A backend cannot do what was asked."""


class RenderError(BombError, RuntimeError):
    """No picture can be made: no driver, a renderer inherited by a fork, or a second thread."""


class EpisodeInitializationError(BombError):
    """No layout that meets the task's constraints was found for a seed."""


class InstructionError(BombError, ValueError):
    """A task says what no observation may hold: the text is empty, too long, or not printable ASCII."""


class PolicyError(BombError, RuntimeError):
    """A policy cannot go on: it raised, or its server refused. Another attempt may do.

    Attributes:
        step: actions executed before it; None where no episode was being played.
        value: what was wrong, in a few words; None where there is no value.
    """

    def __init__(self, message: str, *, step: int | None = None, value: str | None = None):
        super().__init__(message)
        self.step, self.value = step, value


class PolicyTimeoutError(PolicyError, TimeoutError):
    """A policy did not answer in time."""


class PolicyConnectionError(PolicyError, ConnectionError):
    """The server of a policy cannot be reached, or is gone."""


class PolicyOutputError(PolicyError, ActionError):
    """A policy returned what cannot be executed. The world has not moved."""


class ConventionError(PolicyError, ValueError):
    """A policy and BOMB mean different things by the same numbers, or by the same pictures."""


def check_choice(kind: str, value: object, valid: Iterable[str]) -> str:
    """Returns ``value`` if it is one of ``valid``.

    Raises:
        UnknownNameError: if it is not.
    """
    names = list(valid)
    if not isinstance(value, str) or value not in names:
        raise UnknownNameError(kind, value, names)
    return value


@dataclass(frozen=True, kw_only=True)
class Number:
    """What a number in somebody's options must be; one that is not is refused in these words.

    Neither a bool nor infinity nor NaN is ever a number here.

    Attributes:
        whole: whether it must be an integer.
        least, most: bounds, included; None: none.
        above: bound that is excluded; None: none.
        unit: what it counts or measures, in the plural; empty: nothing to say.
        optional: whether None will do, too.
        any_kind: whether numpy's integers will do; not where values are written down as they are.
    """

    whole: bool = True
    least: float | None = None
    most: float | None = None
    above: float | None = None
    unit: str = ""
    optional: bool = False
    any_kind: bool = False

    def check(self, name: str, value: object) -> None:
        """Returns if ``value`` is such a number.

        Raises:
            OptionError: if it is not, naming it ``name``.
        """
        if not self.holds(value):
            raise OptionError(f"{name} must be {self}, got {value!r}")

    def holds(self, value: object) -> bool:
        """Whether ``value`` is such a number."""
        if value is None:
            return self.optional
        allowed = (int, Integral) if self.any_kind else (int,)
        if isinstance(value, bool) or not isinstance(value, allowed if self.whole else (*allowed, float)):
            return False
        number: Any = value
        return (
            (isinstance(number, Integral) or math.isfinite(number))  # of integers some are beyond all floats
            and (self.least is None or number >= self.least)
            and (self.most is None or number <= self.most)
            and (self.above is None or number > self.above)
        )

    def __str__(self) -> str:
        noun = ("integer" if self.whole else "number") + (f" of {self.unit}" if self.unit else "")
        article = "an" if self.whole else "a"
        if self.above == 0:
            return f"a positive {noun}"
        low = f" from {self.least}" if self.least is not None else ""
        high = f" to {self.most}" if self.most is not None else " up" if low else ""
        return f"{article} {noun}{low}{high}"


POSITIVE = Number(least=1)
NATURAL = Number(least=0)


def check_numbers(options: object, constraints: Mapping[str, Number]) -> None:
    """Returns if every option that ``constraints`` names is such a number; a dataclass then has Python's own.

    Args:
        options: an object with these attributes, or a mapping with these keys.
        constraints: what each must be.

    Raises:
        OptionError: for the first that is not.
    """
    if is_dataclass(options):
        take_plain_numbers(options)
    for name, constraint in constraints.items():
        constraint.check(name, options[name] if isinstance(options, Mapping) else getattr(options, name))


def plain_integer(value: Any) -> Any:
    """NumPy's integers as Python's; everything else, bools too, as it is."""
    return int(value) if isinstance(value, Integral) and not isinstance(value, bool) else value


def plain_numbers(value: Any) -> Any:
    """NumPy's numbers and bools as Python's, in lists and tuples too; everything else as it is."""
    kind = type(value)
    if kind in (list, tuple):
        return kind(map(plain_numbers, value))
    if kind.__module__ != "numpy" or getattr(value, "ndim", None) != 0:
        return value
    if kind.__name__ in ("bool", "bool_"):
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else value


def take_plain_numbers(options: Any) -> None:
    """Makes ``plain_numbers`` of every field of a dataclass, frozen or not, and tuples of lists and rows.

    For ``__post_init__``: whoever compares, writes down or sends the options meets no NumPy.
    """
    for option in fields(options):
        given = getattr(options, option.name)
        if getattr(given, "ndim", None) == 1:
            given = given.tolist()
        plain = plain_numbers(given)
        object.__setattr__(options, option.name, tuple(plain) if isinstance(plain, list) else plain)


def check_integer(name: str, value: object, *, least: int, most: int | None = None) -> int:
    """Returns ``value``, Python's or NumPy's, as an ``int`` if it is in the range.

    Raises:
        OptionError: if it is not an integer, or out of the range; bools are no integers.
    """
    Number(least=least, most=most, any_kind=True).check(name, value)
    integer: Any = value  # `check` has refused everything that `int` does not take
    return int(integer)


def check_names(name: str, values: object) -> tuple[str, ...]:
    """Returns a sequence of names as a tuple.

    Raises:
        OptionError: if it is not a sequence of text; one string is none, and would be read as its letters.
    """
    if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Iterable):
        raise OptionError(f"{name} must be a sequence of names, got {values!r}")
    names = tuple(values)
    for value in names:
        if not isinstance(value, str):
            raise OptionError(f"{name} must be a sequence of names, got {value!r} in it")
    return tuple(map(str, names))


def check_flag(name: str, value: object) -> bool:
    """Returns ``value``, Python's or NumPy's, as a ``bool``.

    Raises:
        OptionError: if it is neither true nor false.
    """
    if type(value).__name__ not in ("bool", "bool_"):  # the latter is NumPy's, which is not imported here
        raise OptionError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def missing_extra(what: str, extra: str) -> BombError:
    """What to raise when an optional package is not there: says how to get it.

    Args:
        what: needs it, as the subject of a sentence.
        extra: name out of ``[project.optional-dependencies]``.
    """
    return BombError(f"{what} needs more packages: {install_command(extra)}")


def install_command(extra: str) -> str:
    """The shell command that installs an extra: into a checkout where this is one, for this interpreter."""
    root = Path(__file__).parents[1]
    source = str(root) if (root / "pyproject.toml").is_file() else "board-manipulation-benchmark"
    editable = "-e " if source == str(root) else ""
    pip = f"{sys.executable} -m pip install"
    torch = f"{pip} torch && " if extra == "vla" else ""  # by itself first: its index may be another one
    return f"{torch}{pip} {editable}'{source}[{extra}]'"
