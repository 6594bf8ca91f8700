"""Success by what was drawn: which texture, which way the camera was turned, how bright it was.

A perturbation draws values of its own in every episode. Episodes of one condition are grouped by each of
them: by the value where it is a name, by thirds of the episodes where it is a number.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.report.loading import LoadedRun
from bomb.report.model import DrawGroup, DrawTable
from bomb.runs.rows import Condition, EpisodeRow
from bomb.statistics import holm, rate
from bomb.statistics.formats import significant
from core.perturbations.suite import TWIN

LEAST = 12  # episodes of a condition that are worth taking apart
FEW = 8  # values of a whole number that are groups of their own
PARTS = 3  # groups of a number that has more values
# What BOMB adds to a draw, or draws to have another picture of the same kind: nothing to group by.
_NOTHING = frozenset({"set", "severity", "pattern", "choice", "other"})
_UNITS = {"rad": ("°", 180 / math.pi), "m": (" mm", 1e3)}
SHUFFLES, SEED = 9_999, 20_26


def draw_tables(run: LoadedRun) -> tuple[DrawTable, ...]:
    """Every grouping of every perturbed condition, those first whose groups differ most (by p-value)."""
    made = []
    for condition in run.conditions:
        rows = [row for _, row in sorted(run.episodes[condition.key].items())]
        tables = _of_condition(run, condition, rows) if len(rows) >= LEAST else []
        adjusted = holm([table.p_value for table in tables])
        corrected = [
            DrawTable(**{**vars(table), "p_holm": p}) for table, p in zip(tables, adjusted, strict=True)
        ]
        made += sorted(corrected, key=lambda table: table.p_value)
    return tuple(made)


def _of_condition(run: LoadedRun, condition: Condition, rows: Sequence[EpisodeRow]) -> list[DrawTable]:
    cameras = tuple(run.settings.get("cameras") or ())
    drawn: dict[tuple[str, str], list[tuple[Any, bool]]] = {}
    for row in rows:
        for knob, draw in row.draws.items():
            if knob != TWIN:
                for name, value in _values(draw, cameras):
                    drawn.setdefault((knob, name), []).append((value, row.success))
    tables = []
    for (knob, name), found in drawn.items():
        groups = _groups(name, found)
        if len(groups) < 2:
            continue
        tables.append(
            DrawTable(
                run=run.name,
                task=condition.task,
                backend=condition.backend,
                split=condition.split,
                perturbation=condition.perturbation,
                knob=knob,
                value=name,
                groups=tuple(DrawGroup(label=label, success=rate(won)) for label, won in groups),
                p_value=permuted([won for _, won in groups]),
                p_holm=None,
            )
        )
    return tables


def _values(draw: Mapping[str, Any], cameras: tuple[str, ...], place: str = "") -> Iterable[tuple[str, Any]]:
    """What was drawn, by name: of the cameras that the policy looked through, names, numbers and lengths."""
    for name, value in draw.items():
        if name in _NOTHING:
            continue
        full = f"{place}{name}"
        if name == "cameras" and isinstance(value, Mapping):
            for camera in cameras:
                if camera in value:
                    yield from _values(value[camera], cameras, f"{camera}: ")
        elif isinstance(value, Mapping):
            yield from _values(value, cameras, f"{full} ")
        elif isinstance(value, str | int | float):
            yield full, value
        elif isinstance(value, Sequence) and name.endswith("_m") and len(value) in (2, 3):
            yield f"length of {full}", math.dist(value, [0.0] * len(value))


def _groups(name: str, found: Sequence[tuple[Any, bool]]) -> list[tuple[str, list[bool]]]:
    values = [value for value, _ in found]
    kinds = sorted(set(values), key=lambda value: (str(type(value)), value))
    if any(isinstance(value, str | bool) for value in values) or (
        all(isinstance(value, int) for value in values) and len(kinds) <= FEW
    ):
        return [(str(kind), [won for value, won in found if value == kind]) for kind in kinds]
    if len(kinds) < PARTS:
        return []
    order = sorted(found)
    unit, factor = _UNITS.get(name.rpartition("_")[2], ("", 1.0))
    parts = [order[part[0] : part[-1] + 1] for part in np.array_split(np.arange(len(order)), PARTS)]
    ends = [tuple(significant(one[0] * factor, digits=3) for one in (part[0], part[-1])) for part in parts]
    return [
        (f"{low} to {high}{unit}", [won for _, won in part])
        for (low, high), part in zip(ends, parts, strict=True)
    ]


def permuted(groups: Sequence[Sequence[bool]]) -> float:
    """P-value of Pearson's chi-square between group and success, by permutation of the outcomes."""
    sizes = np.array([len(group) for group in groups])
    wins = np.array([sum(group) for group in groups])
    total, won = int(sizes.sum()), int(wins.sum())
    if won in (0, total):
        return 1.0
    expected = sizes * won / total

    def statistic(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        chi: npt.NDArray[np.float64] = ((counts - expected) ** 2 / expected).sum(-1)
        return chi

    shuffled = np.random.default_rng(SEED).multivariate_hypergeometric(sizes, won, SHUFFLES)
    larger = int((statistic(shuffled) >= statistic(wins) - 1e-9).sum())
    return (1 + larger) / (1 + SHUFFLES)
