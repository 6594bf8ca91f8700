"""What is never trained on: held-out intersections, phrasings and textures, fixed once and for all.

The sets are the same whoever asks: `bomb collect` leaves them out of demonstrations, evaluation reports
*seen* and *unseen* goals apart, and the perturbation suite's *unseen* sentences and textures are these. A
changed set has another ``HELDOUT_HASH``; datasets and results carry it.
"""

import hashlib
import json

from core.board.boards import Cell
from core.board.goals import Goal, Intersection, alternatives
from core.errors import OptionError, check_choice
from core.perturbations.base import Level, split_name
from core.perturbations.table import SEEN, SEEN_COLORS, UNSEEN, UNSEEN_COLORS

# Five of the 25: one in each row and one in each column, so that every row and column is trained on, and what
# is new is only their combination. One corner, two on the edges, two inside; no two are neighbours.
INTERSECTIONS: frozenset[Cell] = frozenset({(0, 4), (1, 2), (2, 0), (3, 3), (4, 1)})

# Knobs with a held-out set: that set, and the one that may be trained on instead.
PHRASINGS: dict[str, tuple[str, str]] = {"words": ("paraphrase_unseen", "paraphrase_seen")}
TEXTURES: dict[str, tuple[str, str]] = {
    "table_texture": ("unseen", "seen"),
    "wall_texture": ("unseen", "seen"),
}

# What can be held out, by the name that users type.
HELD_OUT: dict[str, str] = {
    "intersections": "goals on 5 of the 25 intersections",
    "phrasings": "sentences of the set paraphrase_unseen",
    "textures": "textures and colours of the set unseen",
}


def goal_set(goal: Goal) -> str:
    """Which intersections a goal names, the one of a stone to be moved included.

    Returns:
        ``"unseen"`` if all are held out, ``"seen"`` if none is, else ``"mixed"``. A goal that names none, a
        region without a source, is seen.
    """
    held = [cell in INTERSECTIONS for cell in _cells(goal)]
    if not any(held):
        return "seen"
    return "unseen" if all(held) else "mixed"


def check_held_out(names: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the names in their order in ``HELD_OUT``.

    Raises:
        UnknownNameError: for a name that is not one of them.
    """
    for name in names:
        check_choice("held-out set", name, HELD_OUT)
    return tuple(name for name in HELD_OUT if name in names)


def trainable(levels: dict[str, Level], held_out: tuple[str, ...]) -> dict[str, Level]:
    """The levels of a preset with held-out sets replaced by their seen counterparts.

    Args:
        levels: knob (``name`` or ``name@camera``) to severity or set.
        held_out: out of ``HELD_OUT``.
    """
    return {name: _seen(name, level, held_out) or level for name, level in levels.items()}


def check_trainable(levels: dict[str, Level], held_out: tuple[str, ...]) -> None:
    """Returns if nothing of ``levels`` is held out.

    Raises:
        OptionError: naming the knob, its held-out set and the one to take instead.
    """
    for name, level in levels.items():
        seen = _seen(name, level, held_out)
        if seen is not None:
            raise OptionError(f"{name}: {level!r} is held out from training; valid: {name}: {seen!r}")


def _seen(name: str, level: Level, held_out: tuple[str, ...]) -> str | None:
    knob, _ = split_name(name)
    for group, sets in (("phrasings", PHRASINGS), ("textures", TEXTURES)):
        unseen, seen = sets.get(knob, (None, None))
        if group in held_out and unseen is not None and level == unseen:
            return seen
    return None


def _cells(goal: Goal) -> list[Cell]:
    cells: list[Cell] = []
    for single in alternatives(goal):
        if single.source is not None:
            cells.append(single.source)
        if isinstance(single, Intersection):
            cells.append((single.row, single.column))
    return cells


def _digest() -> str:
    content = {
        "intersections": sorted(INTERSECTIONS),
        "phrasings": PHRASINGS,
        "textures": TEXTURES,
        "texture_names": {"seen": SEEN, "unseen": UNSEEN},
        "texture_colors": {"seen": SEEN_COLORS, "unseen": UNSEEN_COLORS},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


HELDOUT_HASH = _digest()
