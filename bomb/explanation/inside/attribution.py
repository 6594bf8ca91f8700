"""Attribution patching: what restoring a unit would bring, to first order, for all units at once.

S_patched(u) - S_corrupted is about dS/da_u . (a_clean - a_corrupted), with the gradient taken in the
corrupted run (Nanda 2023, "Attribution patching"; Syed et al. 2023, arXiv:2310.10348). It sorts thousands of
heads for the price of two passes; the first of them are then restored exactly.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack

import numpy as np
import torch
from torch import Tensor

from bomb.explanation.asking import Change, Question
from bomb.explanation.inside.asking import ModelAsker
from bomb.explanation.inside.patching import Restoration, clean_record, restore
from bomb.explanation.inside.recording import Key, Unit, hooked, key_of
from bomb.models.answers import Reference


def attribute(
    asker: ModelAsker, question: Question, reference: Reference, change: Change, units: Sequence[Unit]
) -> Restoration:
    """The estimates of all units; nothing in it is ``exact``."""
    with torch.no_grad():
        clean, score = clean_record(asker, question, reference, units)
    layers = {key_of(unit.layer, unit.part): unit for unit in units}
    seen: dict[Key, list[tuple[Tensor, Tensor]]] = {key: [] for key in layers}

    def add(key: Key) -> Callable[[Tensor], Tensor]:
        def see(tensor: Tensor) -> Tensor:
            # The gradient of what is added is that of the activation, whether the weights learn or not.
            nothing = torch.zeros_like(tensor, requires_grad=True)
            seen[key].append((tensor.detach(), nothing))
            return tensor + nothing

        return see

    asker.forwards += 2  # one pass there, one back
    with torch.enable_grad(), ExitStack() as stack:
        for key, unit in layers.items():
            stack.enter_context(hooked(unit.layer, unit.part, add(key)))
        batch = asker.encode(question, [change])
        total = asker.vla.score(batch, reference).total[0]
        added = [nothing for calls in seen.values() for _, nothing in calls]
        gradients = iter(torch.autograd.grad(total, added, allow_unused=True))
    products: dict[Key, list[Tensor]] = {}
    for key, calls in seen.items():
        products[key] = []
        for (corrupted, _), before in zip(calls, clean[key], strict=True):
            gradient = next(gradients)
            product = torch.zeros_like(corrupted) if gradient is None else gradient * (before - corrupted)
            products[key].append(product.double())
    gains = [sum(_part(product, unit) for product in products[unit.key]) for unit in units]
    corrupted_score = float(total.detach().double())
    return Restoration(
        clean=score,
        corrupted=corrupted_score,
        units=tuple(units),
        patched=corrupted_score + np.array(gains, dtype=np.float64),
        exact=np.zeros(len(units), dtype=bool),
    )


def restore_first(
    asker: ModelAsker,
    question: Question,
    reference: Reference,
    change: Change,
    units: Sequence[Unit],
    most: int | None,
) -> Restoration:
    """Restores the ``most`` units of the largest estimates exactly; None: all. The others stay estimates."""
    if most is None or most >= len(units):
        measured: Restoration = restore(asker, question, reference, change, units)
        return measured
    found = attribute(asker, question, reference, change, units)
    order = np.argsort(-np.abs(found.patched - found.corrupted), kind="stable")[:most]
    measured = restore(asker, question, reference, change, [units[k] for k in order])
    patched, exact = found.patched.copy(), found.exact.copy()
    patched[order], exact[order] = measured.patched, True
    return Restoration(
        clean=measured.clean,
        corrupted=measured.corrupted,
        units=tuple(units),
        patched=patched,
        exact=exact,
    )


def _part(product: Tensor, unit: Unit) -> float:
    if unit.head is not None:
        wide = unit.layer.head_dim
        product = product[..., unit.head * wide : (unit.head + 1) * wide]
    if unit.positions is not None:
        product = product[..., unit.positions.to(product.device), :]
    return float(product.sum())
