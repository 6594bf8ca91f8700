"""Words of ``small``: attention over the tokens, and what it found about colour, row and column."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from bomb.models.keypoint.words import SLOTS, VALUES, WIDTH

HEADS = len(SLOTS)
COUNTS = tuple(len(VALUES[slot]) for slot in SLOTS)


class SlotAttention(nn.Module):
    """One learned query per head; heads lie side by side before ``output``.

    Args:
        width: of what is attended to.
        head_dim: of each head.
    """

    def __init__(self, width: int, head_dim: int):
        super().__init__()
        self.scores = nn.Linear(width, HEADS)
        self.values = nn.Linear(width, HEADS * head_dim)
        self.output = nn.Linear(HEADS * head_dim, HEADS * head_dim)

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        """float[N, heads * head_dim] of float[N, T, width] and which tokens are there, bool[N, T]."""
        shares = self.scores(x).masked_fill(~there[..., None], -1e9).softmax(1)
        values = self.values(x).unflatten(2, (HEADS, -1))
        return self.output(torch.einsum("nth,nthd->nhd", shares, values).flatten(1))


class ReadingLayer(nn.Module):
    """Attention over tokens, and an MLP on what it found."""

    def __init__(self, width: int, head_dim: int):
        super().__init__()
        self.attention = SlotAttention(width, head_dim)
        inside = HEADS * head_dim
        self.mlp = nn.Sequential(nn.Linear(inside, inside), nn.ReLU(), nn.Linear(inside, inside))

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        found = self.attention(x, there)
        return found + self.mlp(found)


class SmallReader(nn.Module):
    """Tokens with their neighbours, attention, and logits of each slot.

    Args:
        vocabulary: how many tokens are known.
        embedded, context, head_dim: widths.
    """

    def __init__(self, vocabulary: int, embedded: int = 24, context: int = 40, head_dim: int = 16):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedded)
        self.context1 = nn.Conv1d(embedded, context, WIDTH, padding=WIDTH // 2)
        self.context2 = nn.Conv1d(context, context, WIDTH, padding=WIDTH // 2)
        self.layer = ReadingLayer(context, head_dim)
        self.said = nn.Linear(HEADS * head_dim, sum(COUNTS))

    def forward(self, tokens: Tensor, there: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of colour float[N, 2], row float[N, 5] and column float[N, 5].

        Args:
            tokens: int64[N, T].
            there: bool[N, T]; what is not there is neither attended to nor a neighbour.
        """
        mask = there[:, None].to(self.said.weight.dtype)
        x = self.embedding(tokens).transpose(1, 2) * mask
        x = functional.relu(self.context1(x)) * mask
        x = functional.relu(self.context2(x)) * mask
        color, row, column = self.said(self.layer(x.transpose(1, 2), there)).split(COUNTS, 1)
        return color, row, column
