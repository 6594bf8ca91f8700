"""How many questions go through a model at once: as many as memory holds."""

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

from bomb.models.vla import VLA

Item = TypeVar("Item")
Found = TypeVar("Found")
SHARE = 0.5  # of the free memory that a batch may take
ALIVE = (
    6  # copies of the widest activation that a layer holds at once: input, queries, keys, values, MLP, output
)


class Rows:
    """Sizes of batches.

    Args:
        vla: the model; ``seen`` is told what it was asked.
        most: rows, at most.
    """

    def __init__(self, vla: VLA, most: int):
        self._vla, self._most = vla, most
        self._bytes = 0

    def seen(self, length: int) -> None:
        """Notes the length of a sequence, from which the memory of a row is estimated."""
        layers = self._vla.anatomy.layers
        wide = max(layer.heads * layer.head_dim for layer in layers)
        heads = max(layer.heads for layer in layers)
        # Hidden states and the MLP's, four times as wide, and what attention holds of every pair.
        self._bytes = 4 * (ALIVE * length * wide * 4 + heads * length * length)

    @property
    def count(self) -> int:
        """How many rows fit."""
        if not self._bytes:
            return self._most
        return max(1, min(self._most, int(SHARE * free_bytes(self._vla.device) // self._bytes)))

    def run(self, items: Sequence[Item], ask: Callable[[Sequence[Item]], Found]) -> list[Found]:
        """Asks in batches, smaller ones from then on where memory does not suffice after all.

        Args:
            items: what is asked.
            ask: a batch of it.

        Returns:
            One answer a batch, in order.
        """
        answers: list[Found] = []
        first = 0
        while first < len(items):
            part = items[first : first + self.count]
            try:
                answers.append(ask(part))
            except torch.OutOfMemoryError:
                if len(part) == 1:
                    raise
                self._most = len(part) // 2
                continue
            first += len(part)
        return answers


def free_bytes(device: torch.device) -> int:
    """Memory that is free where a model is."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):  # not told here
        return 2**31
