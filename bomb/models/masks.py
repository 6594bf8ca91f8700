"""Attention masks, float[B, 1, queries, keys]: zero where a position is looked at, very low where not.

They are always given explicitly, so that no library's rule about padding, positions or causality matters.
A query that may look at nothing (padding) looks at itself alone: its numbers are finite and nobody's.
"""

import torch
from torch import Tensor


def additive(allowed: Tensor, dtype: torch.dtype) -> Tensor:
    """bool[B, queries, keys] as what attention adds to its scores."""
    mask = torch.zeros(allowed.shape, dtype=dtype, device=allowed.device)
    return mask.masked_fill_(~allowed, torch.finfo(dtype).min)[:, None]


def causal(mask: Tensor) -> Tensor:
    """bool[B, L, L]: everything before that is not masked, and itself."""
    length = mask.shape[1]
    order = torch.ones(length, length, dtype=torch.bool, device=mask.device).tril()
    return (order & mask[:, None, :]) | _itself(length, mask.device)


def full(mask: Tensor) -> Tensor:
    """bool[B, L, L]: everything that is not masked, and itself."""
    length = mask.shape[1]
    return mask[:, None, :].expand(-1, length, -1) | _itself(length, mask.device)


def prefix(mask: Tensor, together: Tensor) -> Tensor:
    """bool[B, L, L]: causal, but positions of ``together``, bool[B, L], all look at one another."""
    both = together[:, None, :] & together[:, :, None] & mask[:, None, :]
    return causal(mask) | both


def positions(mask: Tensor) -> Tensor:
    """int64[B, L]: 0, 1, 2, ... over what is not masked; 0 before it begins."""
    return (mask.long().cumsum(1) - 1).clamp(min=0)


def _itself(length: int, device: torch.device) -> Tensor:
    return torch.eye(length, dtype=torch.bool, device=device)
