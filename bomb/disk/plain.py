"""Dataclasses out of the plain values of JSON and YAML; every entry is held against its annotation."""

import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

from bomb.disk.files import FileError
from core.errors import BombError

PLAIN = {
    str: "text", int: "an integer", float: "a number", bool: "true or false",
    dict: "a mapping", list: "a list",
}  # fmt: skip


class PlainError(FileError):
    """Values that a dataclass does not take: names the entry."""


def build(kind: type, values: object, place: str = "") -> Any:
    """A dataclass out of plain values, those inside it too.

    Raises:
        PlainError: naming the entry.
    """
    where = f"{place}: " if place else ""
    if not isinstance(values, Mapping):
        raise PlainError(f"{where}must be a mapping, got {values!r}")
    known = {entry.name: entry for entry in fields(kind) if entry.init}
    if unknown := sorted(str(name) for name in values.keys() - known.keys()):
        valid = ", ".join(sorted(known))
        raise PlainError(f"{where}unknown entries {', '.join(unknown)}; valid: {valid}")
    needed = [
        name for name, entry in known.items() if entry.default is MISSING and entry.default_factory is MISSING
    ]
    if missing := [name for name in needed if name not in values]:
        raise PlainError(f"{where}lacks {', '.join(missing)}")
    hints = get_type_hints(kind)
    made = {
        name: convert(hints[name], value, f"{place}.{name}" if place else name)
        for name, value in values.items()
    }
    try:
        return kind(**made)
    except PlainError:
        raise
    except BombError as error:
        raise PlainError(f"{where}{error}") from error


def convert(hint: Any, value: object, place: str) -> Any:
    """A plain value as a hint wants it.

    Raises:
        PlainError: if it does not fit.
    """
    if isinstance(hint, type) and is_dataclass(hint):
        return build(hint, {} if value is None else value, place)
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in inner:
            return None
        options = [option for option in inner if option is not type(None)]
        for option in options[:-1]:
            try:
                return convert(option, value, place)
            except PlainError:
                continue
        return convert(options[-1], value, place)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise PlainError(f"{place} must be a list, got {value!r}")
        if inner[-1] is not Ellipsis and len(value) != len(inner):
            raise PlainError(f"{place} must have {len(inner)} entries, got {len(value)}")
        kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else inner
        pairs = enumerate(zip(kinds, value, strict=True))
        return tuple(convert(kind, entry, f"{place}[{k}]") for k, (kind, entry) in pairs)
    if hint is Any:
        return value
    if origin is list and isinstance(value, list):
        return [convert(inner[0], entry, f"{place}[{k}]") for k, entry in enumerate(value)]
    if origin is dict and isinstance(value, dict):
        return {name: convert(inner[1], entry, f"{place}.{name}") for name, entry in value.items()}
    plain = origin or hint
    right = isinstance(value, plain) and (plain is bool or not isinstance(value, bool))
    if plain is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not right or (isinstance(value, float) and not math.isfinite(value)):
        hint_words = " (YAML reads 1e-4 as text: write 1.0e-4)" if _like_number(plain, value) else ""
        raise PlainError(f"{place} must be {PLAIN.get(plain, plain.__name__)}, got {value!r}{hint_words}")
    return value


def _like_number(kind: type, value: object) -> bool:
    if kind is not float or not isinstance(value, str) or "e" not in value.lower():
        return False
    try:
        float(value)
    except ValueError:
        return False
    return True
