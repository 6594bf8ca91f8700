"""A model's sequence out of pieces: words, patches of pictures, learned vectors; padded on the left.

Every piece is embedded once, side by side: first all words of a sample, then all patches, then all learned
vectors. ``Sequences.slots`` says which of them stands at each position: one gather makes the sequence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bomb.models.batches import Batch, Layout
from bomb.models.masks import positions
from bomb.models.words import NOWHERE, Tokens
from core.errors import OptionError


@dataclass(frozen=True, kw_only=True)
class Patches:
    """A picture: ``rows * cols`` embeddings, row by row. ``camera`` names it in the layout."""

    camera: str
    rows: int
    cols: int

    def __len__(self) -> int:
        return self.rows * self.cols


@dataclass(frozen=True, kw_only=True)
class Learned:
    """``count`` vectors that are no words, such as an action query; ``acts``: they become actions."""

    count: int = 1
    acts: bool = False

    def __len__(self) -> int:
        return self.count


@dataclass(frozen=True, kw_only=True, eq=False)
class Sequences:
    """B sequences of L positions.

    Attributes:
        ids: int64[B, T], the words of each sample, padded.
        slots: int64[B, L], what stands where, counted over T words, then patches, then learned vectors.
        mask: bool[B, L], what is no padding.
        positions: int64[B, L], 0, 1, 2, ... from where the sample begins.
        layouts: one per sample.
    """

    ids: Tensor
    slots: Tensor
    mask: Tensor
    positions: Tensor
    layouts: tuple[Layout, ...]

    @property
    def inputs(self) -> dict[str, Tensor]:
        """What ``gather`` needs of a batch."""
        return {"ids": self.ids, "slots": self.slots}

    def batch(
        self,
        inputs: Mapping[str, Tensor],
        taught: Mapping[str, Tensor] | None,
        positions: Tensor | None = None,
    ) -> Batch:
        """The questions as a batch.

        Args:
            inputs: what the family needs beside ``self.inputs``.
            taught: of ``VLA.teach``.
            positions: int64[B, L] or as the backbone has them; None: ``self.positions``.
        """
        taught = taught or {}
        return Batch(
            inputs={**self.inputs, **inputs},
            attention_mask=self.mask,
            position_ids=self.positions if positions is None else positions,
            layouts=self.layouts,
            actions=taught.get("actions"),
            valid=taught.get("valid"),
        )


def assemble(
    samples: Sequence[Sequence[Tokens | Patches | Learned]],
    *,
    pad: int,
    length: int | None = None,
    patches: int = 0,
    device: torch.device | str = "cpu",
) -> Sequences:
    """Puts the pieces of each sample one after the other.

    Args:
        samples: at least one.
        pad: id of a word that stands for none.
        length: positions to pad to at least.
        patches: embeddings of patches that there will be at least, used or not.
        device: of the tensors.

    Raises:
        OptionError: if there are no samples.
    """
    if not samples:
        raise OptionError("there is nothing to encode: give at least one request")
    words = max(_count(pieces, Tokens) for pieces in samples)
    patches = max(patches, *(_count(pieces, Patches) for pieces in samples))
    total = max(max(sum(len(piece) for piece in pieces) for pieces in samples), length or 0)
    ids = np.full((len(samples), words), pad, dtype=np.int64)
    slots = np.zeros((len(samples), total), dtype=np.int64)
    mask = np.zeros((len(samples), total), dtype=bool)
    layouts = []
    for k, pieces in enumerate(samples):
        at = total - sum(len(piece) for piece in pieces)
        mask[k, at:] = True
        characters = np.tile(np.array(NOWHERE, dtype=np.int64), (total, 1))
        pictures: dict[str, npt.NDArray[np.int64]] = {}
        acting: list[int] = []
        used = {Tokens: 0, Patches: words, Learned: words + patches}
        for piece in pieces:
            here, n = np.arange(at, at + len(piece)), len(piece)
            first = used[type(piece)]
            slots[k, here] = np.arange(first, first + n)
            used[type(piece)] += n
            at += n
            if isinstance(piece, Tokens):
                ids[k, first : first + n] = piece.ids
                characters[here] = piece.characters
            elif isinstance(piece, Patches):
                pictures[piece.camera] = here.reshape(piece.rows, piece.cols)
            elif piece.acts:
                acting += here.tolist()
        actions = np.array(acting or [total - 1], dtype=np.int64)
        layouts.append(Layout(pictures=pictures, characters=characters, actions=actions))
    there = torch.from_numpy(mask).to(device)
    return Sequences(
        ids=torch.from_numpy(ids).to(device),
        slots=torch.from_numpy(slots).to(device),
        mask=there,
        positions=positions(there),
        layouts=tuple(layouts),
    )


def gather(slots: Tensor, words: Tensor, *others: Tensor | None) -> Tensor:
    """The embeddings of a sequence, float[B, L, d].

    Args:
        slots: int64[B, L], of ``assemble``.
        words: float[B, T, d], embedded.
        others: float[B, n, d] each: patches, then learned vectors; None where there are none.
    """
    every = torch.cat([words, *(part.to(words.dtype) for part in others if part is not None)], dim=1)
    return every.gather(1, slots[..., None].expand(-1, -1, every.shape[-1]))


def _count(pieces: Sequence[Tokens | Patches | Learned], kind: type) -> int:
    return sum(len(piece) for piece in pieces if isinstance(piece, kind))
