"""Activations are read while a model runs, and put back into another run: by layer, part, head and position.

A *contribution* is what a layer's attention or its MLP adds to the stream; a *head* is its slice of what goes
into the attention's output projection, which exists for every query head however keys are shared. Putting
back the whole stream makes everything after it clean, whatever the layer does: a law to test, not a map.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from bomb.models.anatomy import Layer

PARTS = ("attention", "mlp", "head", "stream")
Key = tuple[str, int, str]
Record = dict[Key, list[Tensor]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Unit:
    """A piece of a model's inside.

    Attributes:
        layer: where.
        part: one of ``PARTS``.
        head: which, if the part is one; None: all of the layer's.
        positions: int64[n] of the sequence; None: all.
        group: name of the positions, in results.
    """

    layer: Layer
    part: str
    head: int | None = None
    positions: Tensor | None = None
    group: str = "all"

    @property
    def key(self) -> Key:
        """Which activation it is part of."""
        return key_of(self.layer, self.part)


def key_of(layer: Layer, part: str) -> Key:
    """Name of an activation."""
    return layer.stream, layer.index, part


def record(layers: Sequence[Layer], parts: Sequence[str], run: Callable[[], Any]) -> tuple[Record, Any]:
    """What ``run`` leaves at each place, a tensor for each time that the layer is called, and its result."""
    found: Record = {key_of(layer, part): [] for layer in layers for part in parts}

    def keep(key: Key) -> Callable[[Tensor], None]:
        return lambda tensor: found[key].append(tensor.detach().clone())

    with ExitStack() as stack:
        for layer in layers:
            for part in parts:
                stack.enter_context(hooked(layer, part, keep(key_of(layer, part))))
        result = run()
    return found, result


@contextmanager
def restored(units: Sequence[Unit | None], clean: Record) -> Iterator[None]:
    """Inside, row k of every batch has ``units[k]`` as it was in the clean run; None changes nothing.

    Args:
        units: one for each question of the batch.
        clean: of one question alone, see ``record``.
    """
    rows: dict[Key, list[int]] = {}
    for row, unit in enumerate(units):
        if unit is not None:
            rows.setdefault(unit.key, []).append(row)
    with ExitStack() as stack:
        for key, here in rows.items():
            first = units[here[0]]
            if first is not None:
                putting = _Putting(units, here, clean[key])
                stack.enter_context(hooked(first.layer, first.part, putting))
        yield


class _Putting:
    """Called with an activation of a batch, returns it with the clean values in some rows."""

    def __init__(self, units: Sequence[Unit | None], rows: Sequence[int], clean: Sequence[Tensor]):
        self._units, self._rows, self._clean = units, rows, clean
        self._calls = 0

    def __call__(self, tensor: Tensor) -> Tensor:
        clean = self._clean[self._calls].to(tensor)
        self._calls += 1
        changed, each = tensor.clone(), len(clean)  # rows of one question, such as its pictures
        for row in self._rows:
            unit = self._units[row]
            if unit is None:
                continue
            block = changed[row * each : (row + 1) * each]
            places = slice(None) if unit.positions is None else unit.positions.to(tensor.device)
            if unit.head is None:
                channels = slice(None)
            else:
                wide = unit.layer.head_dim
                channels = slice(unit.head * wide, (unit.head + 1) * wide)
            if unit.positions is None:
                block[..., channels] = clean[..., channels]
            else:
                block[..., places, channels] = clean[..., places, channels]
        return changed


@contextmanager
def hooked(layer: Layer, part: str, see: Callable[[Tensor], Tensor | None]) -> Iterator[None]:
    """Inside, ``see`` is called with an activation each time it is made, and may return another."""
    if part == "head":

        def before(module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
            other = see(args[0])
            return None if other is None else (other, *args[1:])

        handle = layer.output_projection.register_forward_pre_hook(before)
    else:
        module = {"attention": layer.attention, "mlp": layer.mlp, "stream": layer.module}[part]

        def after(module: nn.Module, args: tuple[Any, ...], output: Any) -> Any:
            is_tensor = isinstance(output, Tensor)
            other = see(output if is_tensor else output[0])
            if other is None:
                return None
            return other if is_tensor else (other, *output[1:])

        handle = module.register_forward_hook(after)
    try:
        yield
    finally:
        handle.remove()
