"""What a model is asked, as tensors: a batch of questions, and where things stand in each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.errors import OptionError


@dataclass(frozen=True, kw_only=True, eq=False)
class Layout:
    """Where things stand in the sequence of one sample, by position 0..L-1, padding counted.

    Attributes:
        pictures: by camera, int64[rows, cols]: the position of each patch, from the top left.
        characters: int64[L, 2]: which characters of the instruction a position covers, [start, end); (-1, -1)
            where it is none of them.
        actions: int64[n]: the positions whose outputs become the action.
    """

    pictures: Mapping[str, npt.NDArray[np.int64]]
    characters: npt.NDArray[np.int64]
    actions: npt.NDArray[np.int64]

    def words(self, start: int, end: int) -> npt.NDArray[np.int64]:
        """int64[n]: positions of the tokens that share a character with [start, end) of the instruction.

        Raises:
            OptionError: if no token does.
        """
        first, last = self.characters.T
        found = np.flatnonzero((first < end) & (last > start) & (first >= 0))
        if not len(found):
            raise OptionError(f"no token of the instruction covers characters {start} to {end}")
        return found


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """B questions as tensors, padded to a common length L.

    Attributes:
        inputs: what the family's network takes, by name; every tensor has B as its first axis.
        attention_mask: bool[B, L], which positions are looked at.
        position_ids: int64[B, L] or int64[B, 3, L]: fixed when the batch is made, so that hiding a position
            moves no other.
        layouts: one per sample.
        actions: float32[B, chunk, dims], normalised, to be learned; None where there are none.
        valid: bool[B, chunk], which of them count.
    """

    inputs: Mapping[str, Tensor]
    attention_mask: Tensor
    position_ids: Tensor
    layouts: tuple[Layout, ...]
    actions: Tensor | None = None
    valid: Tensor | None = None

    def __len__(self) -> int:
        return len(self.attention_mask)

    def hide(self, positions: Tensor) -> "Batch":
        """The same batch with positions that nothing looks at, bool[B, L]; all others stay where they are.

        Raises:
            OptionError: for another shape.
        """
        if positions.shape != self.attention_mask.shape or positions.dtype != torch.bool:
            raise OptionError(
                f"positions must be bool{list(self.attention_mask.shape)}, "
                f"got {positions.dtype} {list(positions.shape)}"
            )
        mask = self.attention_mask & ~positions.to(self.attention_mask.device)
        return replace(self, attention_mask=mask)

    def to(self, device: torch.device | str) -> "Batch":
        """The same batch on another device."""
        return self._each(lambda tensor: tensor.to(device))

    def select(self, rows: Sequence[int]) -> "Batch":
        """Some of the samples, in this order; a row may be named several times."""
        index = torch.as_tensor(list(rows), dtype=torch.long)
        chosen = self._each(lambda tensor: tensor[index.to(tensor.device)])
        return replace(chosen, layouts=tuple(self.layouts[k] for k in rows))

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Batch":
        return replace(
            self,
            inputs={name: change(tensor) for name, tensor in self.inputs.items()},
            attention_mask=change(self.attention_mask),
            position_ids=change(self.position_ids),
            actions=None if self.actions is None else change(self.actions),
            valid=None if self.valid is None else change(self.valid),
        )
