"""Whether plain values are what a dataclass says that they are, for files that others send."""

import math
from collections.abc import Mapping
from dataclasses import fields
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints


def misfit(kind: type, plain: Mapping[str, Any]) -> str | None:
    """The first field of ``plain`` that is not of its annotation, in words; None if all are.

    Args:
        kind: a dataclass of plain types: ``str``, ``bool``, ``int``, ``float``, ``list``, ``dict``, ``Any``,
            unions of these, and lists and dicts of them.
        plain: its fields by name.
    """
    hints = get_type_hints(kind)
    for entry in fields(kind):
        value = plain[entry.name]
        if not _fits(hints[entry.name], value):
            hint = hints[entry.name]
            return f"{entry.name} = {value!r}, which is not {getattr(hint, '__name__', None) or hint}"
    return None


def _fits(hint: Any, value: object) -> bool:
    if hint is Any:
        return True
    origin, inside = get_origin(hint), get_args(hint)
    if origin is UnionType:
        return any(_fits(one, value) for one in inside)
    if origin is list:
        return isinstance(value, list) and all(_fits(inside[0], one) for one in value)
    if origin is dict:
        return isinstance(value, dict) and all(_fits(inside[1], one) for one in value.values())
    if hint in (int, float):
        number = isinstance(value, int if hint is int else int | float) and not isinstance(value, bool)
        return number and math.isfinite(value)  # type: ignore[arg-type]
    return isinstance(value, hint)
