"""Options that several verbs take."""

from core.errors import OptionError


def names(text: str, option: str) -> tuple[str, ...]:
    """Comma-separated names.

    Raises:
        OptionError: if one is empty.
    """
    found = tuple(name.strip() for name in text.split(","))
    if not all(found):
        raise OptionError(f"{option} must be comma-separated names, got {text!r}")
    return found


def knobs(text: str | None) -> list[str] | None:
    """Comma-separated perturbations and presets, as ``core.make_task`` takes them; None: none.

    Raises:
        OptionError: if one is empty.
    """
    return None if text is None else list(names(text, "--perturbations"))
