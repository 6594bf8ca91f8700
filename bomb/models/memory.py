"""Keys and values of a question, which an expert's layers read beside their own.

They stand where layers of transformers expect a cache. Unlike one, nothing grows: what a layer stores is
replaced when the layer runs once more, as it does where activations are made again in the backward pass.
"""

import torch
from torch import Tensor


class Memory:
    """Filled by a first pass, by layer."""

    replayable = True  # a layer may run twice with it, see ``bomb.training.learner``

    def __init__(self) -> None:
        self.kept: dict[int, tuple[Tensor, Tensor]] = {}

    def update(
        self, keys: Tensor, values: Tensor, layer: int, *_: object, **__: object
    ) -> tuple[Tensor, Tensor]:
        """Keeps what a layer made, float[B, heads, L, head_dim] each, and gives it back."""
        self.kept[layer] = keys, values
        return keys, values

    def get_seq_length(self, layer: int = 0) -> int:
        """Positions that come before those of a pass: none."""
        return 0

    def beside(self) -> "Beside":
        """For a second pass, whose layers see these keys and values before their own."""
        return Beside(self)


class Beside(Memory):
    """A memory that is read and stays as it is."""

    def __init__(self, memory: Memory):
        self.kept = memory.kept

    def update(
        self, keys: Tensor, values: Tensor, layer: int, *_: object, **__: object
    ) -> tuple[Tensor, Tensor]:
        before, what = self.kept[layer]
        return torch.cat([before, keys], dim=2), torch.cat([what, values], dim=2)

    def get_seq_length(self, layer: int = 0) -> int:
        return self.kept[layer][0].shape[2] if layer in self.kept else 0
