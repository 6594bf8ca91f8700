"""Which pieces of a model bring the clean action back when its question is corrupted.

R(u) = (S_patched(u) - S_corrupted) / (S_clean - S_corrupted): 1 is full restoration, 0 is none; it may be
below 0 or above 1. It is a quotient by the gap, so the gap always stands beside it, and below ``LEAST_GAP``
there is no R.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bomb.explanation.asking import Change, Question
from bomb.explanation.inside.asking import ModelAsker
from bomb.explanation.inside.recording import Record, Unit, record, restored
from bomb.explanation.inside.sharing import shared_pictures
from bomb.models.anatomy import Layer
from bomb.models.answers import Reference

LEAST_GAP = 1e-3  # of scores: nats, or normalised actions; less is within float noise of deep models
READ = ("language", "reader", "policy")  # a sequence whose positions are known, or what follows from it


@dataclass(frozen=True, kw_only=True, eq=False)
class Restoration:
    """How much of the clean score each unit brings back.

    Attributes:
        clean, corrupted: scores.
        units: what was put back.
        patched: float64[n], scores with each unit put back.
        exact: bool[n]: measured; where False, ``patched`` is the first-order estimate.
    """

    clean: float
    corrupted: float
    units: tuple[Unit, ...]
    patched: np.ndarray
    exact: np.ndarray

    @property
    def gap(self) -> float:
        """S_clean - S_corrupted."""
        return self.clean - self.corrupted

    @property
    def values(self) -> np.ndarray | None:
        """R of each unit, float64[n]; None where the gap is too small to divide by."""
        return None if abs(self.gap) < LEAST_GAP else (self.patched - self.corrupted) / self.gap


def groups_of(
    asker: ModelAsker,
    question: Question,
    spans: Mapping[str, Sequence[int]],
    regions: Mapping[str, np.ndarray],
) -> dict[str, Tensor]:
    """Positions of a question's sequence by what stands there; each position is in one group.

    Args:
        asker: of the model.
        question: whose sequence.
        spans: (start, end) of the instruction by name; the first that a token belongs to has it.
        regions: by camera, object[rows, cols]: what each of the model's patches shows.

    Returns:
        int64[n] by name: regions, spans, ``other words``, ``prompt``, and ``action``, where the answer is
        made.
    """
    layout = asker.encode(question, [Change(name="clean")]).layouts[0]
    length = len(layout.characters)
    names = np.full(length, "prompt", dtype=object)
    names[layout.characters[:, 0] >= 0] = "other words"
    for name, (start, end) in reversed(list(spans.items())):
        names[layout.words(start, end)] = name
    for camera, shown in regions.items():
        if camera in layout.pictures:
            names[layout.pictures[camera].ravel()] = np.asarray(shown, dtype=object).ravel()
    for camera, places in layout.pictures.items():
        if camera not in regions:
            names[places.ravel()] = "other pictures"
    names[layout.actions] = "action"
    return {name: torch.from_numpy(np.flatnonzero(names == name)) for name in dict.fromkeys(names.tolist())}


def layer_units(layers: Sequence[Layer], groups: Mapping[str, Tensor]) -> list[Unit]:
    """Contributions of attention and MLP, by groups of positions where a stream has them."""
    units = []
    for layer in layers:
        for part in ("attention", "mlp"):
            if layer.stream == "language":
                units += [
                    Unit(layer=layer, part=part, positions=positions, group=name)
                    for name, positions in groups.items()
                ]
            units.append(Unit(layer=layer, part=part))
    return units


def head_units(layers: Sequence[Layer]) -> list[Unit]:
    """Every head at all positions."""
    return [Unit(layer=layer, part="head", head=k) for layer in layers for k in range(layer.heads)]


@torch.no_grad()
def restore(
    asker: ModelAsker, question: Question, reference: Reference, change: Change, units: Sequence[Unit]
) -> Restoration:
    """Runs the changed question once for each unit, with the unit as it was in the clean run."""
    vision = [unit for unit in units if unit.layer.stream not in (*READ, "expert")]
    inside = [unit for unit in units if unit.layer.stream in (*READ, "expert")]
    patched: dict[int, float] = {}
    clean = corrupted = 0.0
    for part, share in ((inside, True), (vision, False)):
        if not part:
            continue
        scores = _restore(asker, question, reference, change, part, share)
        clean, corrupted = scores[0], scores[1]
        patched |= {id(unit): score for unit, score in zip(part, scores[2:], strict=True)}
    return Restoration(
        clean=clean,
        corrupted=corrupted,
        units=tuple(units),
        patched=np.array([patched[id(unit)] for unit in units]),
        exact=np.ones(len(units), dtype=bool),
    )


def _restore(
    asker: ModelAsker,
    question: Question,
    reference: Reference,
    change: Change,
    units: Sequence[Unit],
    share: bool,
) -> list[float]:
    """Scores: clean, corrupted, then one for each unit."""
    vla = asker.vla
    with shared_pictures(vla) if share else _nothing():
        clean, score = clean_record(asker, question, reference, units)

        def ask(part: Sequence[Unit | None]) -> list[float]:
            batch = asker.encode(question, [change] * len(part))
            with restored(part, clean):
                scores = vla.score(batch, reference.select([0] * len(part)))
            totals: list[float] = scores.total.double().tolist()
            return totals

        asker.forwards += 1 + len(units)
        answers = asker.rows.run([None, *units], ask)
    return [score, *(value for part in answers for value in part)]


def clean_record(
    asker: ModelAsker, question: Question, reference: Reference, units: Sequence[Unit]
) -> tuple[Record, float]:
    """Activations of the clean question where the units are, and its score."""
    batch = asker.encode(question, [Change(name="clean")])
    asker.forwards += 1
    layers = list({(unit.layer.stream, unit.layer.index): unit.layer for unit in units}.values())
    parts = list(dict.fromkeys(unit.part for unit in units))
    clean, scores = record(layers, parts, lambda: asker.vla.score(batch, reference))
    return clean, float(scores.total[0].double())


class _nothing:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *args: object) -> None:
        return None
