"""What a policy says of itself, checked before anything is played with it."""

import json

from core.errors import OptionError


def checked_description(description: object) -> dict:
    """``Policy.describe()``, if results can keep it.

    Servers and classes of anybody's say it, so that it may be anything.

    Raises:
        OptionError: if it is no dict of plain values for JSON, or ``trained_on`` is no list of datasets.
    """
    if not isinstance(description, dict):
        raise OptionError(f"describe() must return a dict, got {description!r}")
    try:
        json.dumps(description, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise OptionError(f"describe() must return plain values for JSON: {error}") from error
    trained = description.get("trained_on")
    if trained is not None and not (isinstance(trained, list) and all(map(_dataset, trained))):
        raise OptionError(
            'trained_on in describe() must be a list of datasets, like [{"split": "train", '
            f'"perturbations": {{}}}}], got {trained!r}'
        )
    return description


def _dataset(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("split"), str | None)
