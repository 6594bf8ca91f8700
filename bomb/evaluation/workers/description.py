"""What a policy says of itself, checked before anything is played with it."""

import json
from collections.abc import Callable
from typing import Any

from core.control.actions import ACTION_MODES
from core.errors import Number, OptionError
from core.seeding import SPLITS

WHOLE = Number(least=0, most=2**63 - 1)
AMOUNT = Number(whole=False, least=0, most=1e18)
LONGEST = 200_000  # characters of JSON: provenance of many datasets fits, a megabyte of a server's does not


def checked_description(description: object) -> dict[str, Any]:
    """``Policy.describe()``, if results can keep it.

    Servers and classes of anybody's say it, so that it may be anything.

    Raises:
        OptionError: if it is no dict of plain values for JSON, is longer than a results file should carry, or
            a key that results know (see ``core.Policy.describe``) has a value of another type.
    """
    if not isinstance(description, dict):
        raise OptionError(f"describe() must return a dict, got {description!r}")
    try:
        said = json.dumps(description, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise OptionError(f"describe() must return plain values for JSON: {error}") from error
    if len(said) > LONGEST:
        raise OptionError(f"describe() returns {len(said)} characters of JSON, at most {LONGEST} are kept")
    for name, (wanted, right) in KNOWN.items():
        value = description.get(name)
        if value is not None and not right(value):
            raise OptionError(f"{name} in describe() must be {wanted}, got {str(value)[:80]!r}")
    trained = description.get("trained_on")
    if trained is not None and not (isinstance(trained, list) and all(map(_dataset, trained))):
        raise OptionError(
            'trained_on in describe() must be a list of datasets, like [{"split": "train", '
            f'"perturbations": {{}}}}], got {str(trained)[:200]}'
        )
    return description


def _text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 4096


def _names(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(name, str) for name in value)


def _size(value: object) -> bool:
    sides = [value, value] if isinstance(value, int) else value
    return isinstance(sides, list | tuple) and len(sides) == 2 and all(map(WHOLE.holds, sides))


# What results compute and compare with: name to (what it must be, whether it is). None stands for unknown.
KNOWN: dict[str, tuple[str, Callable[[object], bool]]] = {
    "checkpoint": ("text", _text),
    "parameters": ("an integer, how many", WHOLE.holds),
    "memory_mb": ("a number of megabytes", AMOUNT.holds),
    "action_mode": (f"one of {', '.join(ACTION_MODES)}", lambda value: value in ACTION_MODES),
    "control_hz": ("an integer", WHOLE.holds),
    "cameras": ("a list of names, or empty", _names),
    "image_size": ("[height, width], whole numbers of pixels", _size),
    "modalities": ("a list of names", _names),
    "recorded_split": (f"one of {', '.join(SPLITS)}", lambda value: value in [*SPLITS]),
}


def _dataset(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("split"), str | None)
