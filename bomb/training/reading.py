"""Recipes from YAML: every entry checked against the dataclass that takes it, errors in one line."""

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints, overload

from bomb.disk.files import FileError
from bomb.training.recipe import Recipe
from core.errors import BombError, missing_extra

Read = TypeVar("Read")
PLAIN = {str: "text", int: "an integer", float: "a number", bool: "true or false", dict: "a mapping"}


class RecipeError(FileError):
    """A recipe that cannot be used: names the file and the entry."""


@overload
def read_recipe(file: Path | str, changes: Mapping[str, Any] | None = None) -> Recipe: ...


@overload
def read_recipe(file: Path | str, changes: Mapping[str, Any] | None = None, *, kind: type[Read]) -> Read: ...


def read_recipe(
    file: Path | str, changes: Mapping[str, Any] | None = None, *, kind: type[Any] = Recipe
) -> Any:
    """Reads a recipe.

    Args:
        file: YAML.
        changes: by dotted name, such as ``{"optimiser.rate": 1e-4}``: entries that are to be others.
        kind: dataclass that it becomes.

    Raises:
        RecipeError: in one line, naming the file, the entry and what is valid.
        BombError: if PyYAML is not installed.
    """
    values = read_entries(file)
    for name, value in (changes or {}).items():
        _change(values, name.split("."), value)
    values.setdefault("name", Path(file).stem)
    try:
        return build(kind, values)
    except BombError as error:
        raise RecipeError(f"{file}: {error}") from error


def read_entries(file: Path | str) -> dict[str, Any]:
    """What a recipe says, unchecked.

    Raises:
        RecipeError: naming the file, if it cannot be read or is not a mapping.
        BombError: if PyYAML is not installed.
    """
    try:
        import yaml
    except ImportError as error:
        raise missing_extra("a recipe", "vla") from error
    file = Path(file)
    try:
        values = yaml.safe_load(file.read_text())
    except FileNotFoundError:
        raise RecipeError(f"{file} does not exist") from None
    except (OSError, ValueError) as error:  # a name with NUL, bytes that are no text
        raise RecipeError(f"{file} cannot be read: {error}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise RecipeError(f"{file} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise RecipeError(f"{file} must hold a mapping, has {type(values).__name__}")
    return values


def build(kind: type, values: object, place: str = "") -> Any:
    """A dataclass out of plain values, those inside it too.

    Raises:
        RecipeError: naming the entry.
    """
    where = f"{place}: " if place else ""
    if not isinstance(values, Mapping):
        raise RecipeError(f"{where}must be a mapping, got {values!r}")
    known = {entry.name: entry for entry in fields(kind) if entry.init}
    if unknown := sorted(str(name) for name in values.keys() - known.keys()):
        valid = ", ".join(sorted(known))
        raise RecipeError(f"{where}unknown entries {', '.join(unknown)}; valid: {valid}")
    needed = [
        name for name, entry in known.items() if entry.default is MISSING and entry.default_factory is MISSING
    ]
    if missing := [name for name in needed if name not in values]:
        raise RecipeError(f"{where}lacks {', '.join(missing)}")
    hints = get_type_hints(kind)
    made = {
        name: convert(hints[name], value, f"{place}.{name}" if place else name)
        for name, value in values.items()
    }
    try:
        return kind(**made)
    except RecipeError:
        raise
    except BombError as error:
        raise RecipeError(f"{where}{error}") from error


def convert(hint: Any, value: object, place: str) -> Any:
    """A plain value as a hint wants it.

    Raises:
        RecipeError: if it does not fit.
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
            except RecipeError:
                continue
        return convert(options[-1], value, place)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise RecipeError(f"{place} must be a list, got {value!r}")
        if inner[-1] is not Ellipsis and len(value) != len(inner):
            raise RecipeError(f"{place} must have {len(inner)} entries, got {len(value)}")
        kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else inner
        pairs = enumerate(zip(kinds, value, strict=True))
        return tuple(convert(kind, entry, f"{place}[{k}]") for k, (kind, entry) in pairs)
    plain = origin or hint
    right = isinstance(value, plain) and (plain is bool or not isinstance(value, bool))
    if plain is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not right:
        hint_words = " (YAML reads 1e-4 as text: write 1.0e-4)" if _like_number(plain, value) else ""
        raise RecipeError(f"{place} must be {PLAIN.get(plain, plain.__name__)}, got {value!r}{hint_words}")
    return value


def _like_number(kind: type, value: object) -> bool:
    if kind is not float or not isinstance(value, str):
        return False
    try:
        float(value)
    except ValueError:
        return False
    return True


def _change(values: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        inner = values.get(name)
        values[name] = inner if isinstance(inner, dict) else {}
        values = values[name]
    values[path[-1]] = value
