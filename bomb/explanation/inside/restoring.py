"""Restoration of one moment, as plain values: contributions by layer and position, heads by layer."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bomb.explanation.asking import Change, Question
from bomb.explanation.inside.asking import ModelAsker
from bomb.explanation.inside.attribution import restore_first
from bomb.explanation.inside.patching import Restoration, groups_of, head_units, layer_units
from bomb.explanation.regions import shown_by
from bomb.explanation.spans import spans_of
from bomb.models.answers import Reference

FINEST = ("color", "board", "row", "column", "from_row", "from_column")  # spans that do not overlap


class Restoring:
    """Restores what a moment's strongest interventions broke.

    Args:
        exact: units restored exactly in each map; None: all.
    """

    def __init__(self, exact: int | None):
        self._exact = exact

    def __call__(
        self,
        asker: ModelAsker,
        question: Question,
        reference: Reference,
        changes: Mapping[str, Change],
        regions: Mapping[str, np.ndarray],
    ) -> dict[str, Any]:
        """Plain values; ``regions`` are uint8[H, W] of ``bomb.explanation.regions.REGIONS`` by camera."""
        (change,) = changes.values()
        layers = asker.vla.anatomy.layers
        groups = groups_of(asker, question, _spans(question), _shown(asker, regions))
        contributions = restore_first(
            asker, question, reference, change, layer_units(layers, groups), self._exact
        )
        heads = restore_first(asker, question, reference, change, head_units(layers), self._exact)
        return {
            "clean": contributions.clean,
            "corrupted_score": contributions.corrupted,
            "gap": contributions.gap,
            "layers": _plain(contributions),
            "heads": _plain(heads),
        }

    def passes(self, asker: ModelAsker) -> int:
        """Questions that restoring takes for both of a moment's interventions, at most."""
        layers = asker.vla.anatomy.layers
        groups = 8 + len(FINEST)
        units = sum(2 * (groups + 1) if layer.stream == "language" else 2 for layer in layers)
        heads = sum(layer.heads for layer in layers)
        return 2 * sum(
            4 + count if self._exact is None or self._exact >= count else 7 + self._exact
            for count in (units, heads)
        )


def _plain(found: Restoration) -> list[dict[str, Any]]:
    values = found.values
    return [
        {
            "stream": unit.layer.stream,
            "layer": unit.layer.index,
            "part": unit.part,
            **({"head": unit.head} if unit.head is not None else {"positions": unit.group}),
            "patched": float(found.patched[k]),
            "R": None if values is None else float(values[k]),
            "exact": bool(found.exact[k]),
        }
        for k, unit in enumerate(found.units)
    ]


def _spans(question: Question) -> dict[str, tuple[int, int]]:
    spans = spans_of(question.observation["instruction"])
    return {name: (spans[name].start, spans[name].end) for name in FINEST if name in spans}


def _shown(asker: ModelAsker, regions: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    found = {}
    for camera, grid in asker.grids.items():
        numbers = grid.numbers(*regions[camera].shape)
        shown = shown_by(numbers, len(grid), regions[camera])
        found[camera] = np.array(shown, dtype=object).reshape(grid.rows, grid.cols)
    return found
