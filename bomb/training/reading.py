"""Recipes from YAML: every entry checked against the dataclass that takes it, errors in one line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, overload

from bomb.disk.files import FileError
from bomb.disk.plain import build
from bomb.training.recipe import Recipe
from core.errors import BombError, missing_extra

Read = TypeVar("Read")


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
        changes: by dotted name, such as ``{"optimiser.rate": 1e-4}``: entries that are to be others. ``*``
            stands for every entry of a list: ``{"looks.*.backend": "mujoco"}``.
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


def _change(values: dict[str, Any], path: list[str], value: Any) -> None:
    for number, name in enumerate(path[:-1]):
        inner = values.get(name)
        if isinstance(inner, list) and path[number + 1] == "*" and number + 2 < len(path):
            values[name] = [dict(entry) if isinstance(entry, dict) else {} for entry in inner]
            for entry in values[name]:
                _change(entry, path[number + 2 :], value)
            return
        values[name] = dict(inner) if isinstance(inner, dict) else {}
        values = values[name]
    values[path[-1]] = value
