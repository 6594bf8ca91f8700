"""Pictures that are the same in several rows of a batch go through the vision towers once.

Spans and activations of the language model are changed by the dozen under one picture; without this most of
the time would go into looking at it again.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from bomb.models.vla import VLA

KEPT = 4  # pictures that are remembered from one batch to the next


@contextmanager
def shared_pictures(vla: VLA) -> Iterator[None]:
    """Inside, equal pictures are looked at once.

    Of a model with a backbone of ``bomb.models.backbones`` that is its ``see``, of others what ``vla.parts``
    calls vision. What is seen must depend on each row's inputs alone, as the laws of ``check_vla`` ask.
    """
    backbone = getattr(vla, "backbone", None)
    with ExitStack() as stack:
        if isinstance(backbone, nn.Module) and hasattr(backbone, "see"):
            stack.enter_context(_replaced(backbone, "see"))
        else:
            for name in _towers(vla):
                stack.enter_context(_replaced(vla.get_submodule(name), "forward"))
        yield


def _towers(vla: VLA) -> list[str]:
    modules = dict(vla.named_modules())
    return [prefix[:-1] for prefix in vla.parts["vision"] if prefix[:-1] in modules]


@contextmanager
def _replaced(module: nn.Module, name: str) -> Iterator[None]:
    own = vars(module).get(name)  # not the method of the class, but one that somebody put in its place
    setattr(module, name, _once(getattr(module, name)))
    try:
        yield
    finally:
        if own is None:
            delattr(module, name)
        else:
            setattr(module, name, own)


def _once(see: Callable[..., Any]) -> Callable[..., Any]:
    kept: list[tuple[list[Tensor], Any]] = []  # what one row was given, and what it became

    def shared(*args: Any, **named: Any) -> Any:
        given = [value for value in (*args, *named.values()) if isinstance(value, Tensor)]
        count = len(given[0])
        if any(len(tensor) != count for tensor in given):  # not one row a picture
            return see(*args, **named)
        rows = [[tensor[k : k + 1] for tensor in given] for k in range(count)]
        new: list[int] = []
        source: list[tuple[bool, int]] = []  # (whether it is kept from before, index)
        for row in rows:
            before = _index(row, [one for one, _ in kept])
            if before is not None:
                source.append((True, before))
                continue
            here = _index(row, [rows[k] for k in new])
            if here is None:
                new.append(len(source))
                here = len(new) - 1
            source.append((False, here))
        made: list[Any] = []
        if new:
            at = torch.tensor(new, device=given[0].device)

            def chosen(value: Any) -> Any:
                return value.index_select(0, at) if isinstance(value, Tensor) else value

            seen = see(*map(chosen, args), **{key: chosen(value) for key, value in named.items()})
            made = [_each(seen, _row(k)) for k in range(len(new))]
        parts = [kept[k][1] if before else made[k] for before, k in source]
        kept.extend((rows[k], one) for k, one in zip(new, made, strict=True))
        del kept[:-KEPT]
        return _together(parts)

    return shared


def _row(k: int) -> Callable[[Tensor], Tensor]:
    return lambda tensor: tensor[k : k + 1]


def _index(row: list[Tensor], others: list[list[Tensor]]) -> int | None:
    for k, other in enumerate(others):
        if all(a.shape == b.shape and torch.equal(a, b) for a, b in zip(row, other, strict=True)):
            return k
    return None


def _each(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """The tensors in what a module returned, changed."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, Mapping):  # an output of transformers
        return type(value)(**{key: _each(inner, change) for key, inner in value.items()})
    if isinstance(value, (tuple, list)):
        return type(value)(_each(inner, change) for inner in value)
    return value


def _together(parts: list[Any]) -> Any:
    """The same structure, with the rows of all parts."""
    first = parts[0]
    if isinstance(first, Tensor):
        return torch.cat(parts)
    if isinstance(first, Mapping):
        return type(first)(**{key: _together([part[key] for part in parts]) for key in first})
    if isinstance(first, (tuple, list)):
        return type(first)(_together(list(inner)) for inner in zip(*parts, strict=True))
    return first
