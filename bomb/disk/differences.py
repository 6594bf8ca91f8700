"""Whether two sets of settings are the same, and if not, where they first differ."""

import json
from collections.abc import Collection
from typing import Any, NamedTuple


class Difference(NamedTuple):
    """The first setting that differs: its name (``outer.inner``), what it was, what it is asked to be."""

    name: str
    before: object
    now: object


def first_difference(
    before: dict[str, Any], now: dict[str, Any], may_differ: Collection[str] = ()
) -> Difference | None:
    """The first of two dicts' values that differs, in the order of their names; None if there is none.

    Args:
        before: as it was stored: plain JSON values.
        now: as it is asked for; tuples count as lists.
        may_differ: names of the outermost dict that are passed over.
    """
    return _search(before, json.loads(json.dumps(now)), set(may_differ), "")


def _search(before: dict[str, Any], now: dict[str, Any], skipped: set[str], prefix: str) -> Difference | None:
    for name in sorted({*before, *now} - skipped):
        old, new = before.get(name), now.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            inner = _search(old, new, set(), f"{prefix}{name}.")
            if inner is not None:
                return inner
        elif old != new:
            return Difference(f"{prefix}{name}", old, new)
    return None
