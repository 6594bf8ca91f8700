"""Actions as tokens: learning them, making them one after the other, and scoring given ones.

All of it works on a ``WordNetwork``, as OpenVLA's and every backbone are (an attribute ``together``: whether
all of a question looks at all of it), and on sequences padded on the left, so that the answer begins where
the sequence ends.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bomb.models import masks
from bomb.models.codecs.bins import Bins
from bomb.models.losses import chunk_losses
from bomb.models.noise import generator
from bomb.models.vla import Batch, Losses, Scores
from core.errors import PolicyOutputError

if TYPE_CHECKING:
    from transformers import Cache


class WordNetwork(Protocol):
    """A network that answers in words, on sequences padded on the left."""

    def words(self, ids: Tensor, /) -> Tensor:
        """Embedded words, float[B, T, d], of ids int64[B, T]."""

    def hidden(
        self, embeddings: Tensor, mask: Tensor, positions: Tensor, cache: "Cache | None" = None, /
    ) -> Tensor:
        """Hidden states after the last norm, float[B, L, d]; ``cache`` is added to."""

    def logits(self, hidden: Tensor, /) -> Tensor:
        """float32[..., vocabulary] of hidden states."""


def token_losses(
    logits: Tensor,
    labels: Tensor,
    actions: Tensor,
    valid: Tensor,
    *,
    bins: Bins,
    groups: Mapping[str, tuple[int, ...]],
    weights: Mapping[str, float] | None = None,
) -> Losses:
    """Cross-entropy of an answer: its numbers and the end of the sequence.

    With all weights 1 and everything valid, ``total`` is the mean over all tokens, as language models of
    transformers have it.

    Args:
        logits: float32[B, chunk * dims + 1, vocabulary].
        labels: int64[B, chunk * dims + 1].
        actions: float32[B, chunk, dims], normalised.
        valid: bool[B, chunk].
        bins: what the tokens mean.
        groups, weights: as ``chunk_losses`` takes them.
    """
    errors = functional.cross_entropy(logits.transpose(1, 2), labels, reduction="none")
    count, chunk, dims = actions.shape
    numbers, stop = errors[:, :-1].reshape(count, chunk, dims), errors[:, -1]
    found = logits[:, :-1].argmax(-1)
    counted = valid[..., None].expand(-1, -1, dims).reshape(count, -1)
    values = torch.from_numpy(bins.decode(found.cpu().numpy())).to(actions).reshape(actions.shape)
    away = (values - actions).abs().reshape(count, -1)
    metrics = {
        "token_accuracy": (found == labels[:, :-1])[counted].float().mean().item(),
        "l1": away[counted].mean().item(),
        "stop": stop.mean().item(),
    }
    part = chunk_losses(numbers, valid, groups, weights, metrics)
    # The end of the sequence counts as one more token of each sample.
    size = counted.sum(1).to(errors.dtype)
    samples = (part.samples * size + stop) / (size + 1)
    total = (part.total * size.sum() + stop.sum()) / (size.sum() + count)
    return Losses(
        total=total, samples=samples, groups=part.groups, offsets=part.offsets, metrics=part.metrics
    )


@torch.no_grad()
def decode(
    network: WordNetwork,
    embeddings: Tensor,
    batch: Batch,
    count: int,
    *,
    temperature: float = 0.0,
    drawn: Sequence[tuple[int, int, int]] = (),
    given: Tensor | None = None,
    choose: Callable[[Tensor, Sequence[Tensor]], Tensor] | None = None,
    stop: int | None = None,
) -> Tensor:
    """The likeliest tokens, one after the other, int64[B, count], or fewer where ``stop`` came earlier.

    Args:
        network: see this module.
        embeddings: float[B, L, d] of the question.
        batch: with its mask and positions.
        count: tokens to make.
        temperature: 0 takes the likeliest; else the tokens are drawn (by the Gumbel trick) in every row
            whose sample is not the first.
        drawn: per row (seed, step, sample).
        given: int64[B, n], tokens that the answer begins with, which are not counted.
        choose: gives the next token of each row, int64[B, 1], by logits and what was made before; None takes
            the likeliest.
        stop: ends the answers, when each has it.

    Raises:
        PolicyOutputError: if the model's numbers are not finite.
    """
    from transformers import DynamicCache

    cache = DynamicCache()
    embeddings, mask, positions, size = _continued(network, embeddings, batch, given)
    at = positions[..., -1:]
    allowed = masks.additive(prompted(network, mask, size), embeddings.dtype)
    hidden = network.hidden(embeddings, allowed, positions, cache)
    noise = [generator(*one) for one in drawn]
    made: list[Tensor] = []
    while True:
        logits = network.logits(hidden[:, -1])
        if not torch.isfinite(logits).all():
            raise PolicyOutputError("the model's logits are not finite")
        if temperature:
            logits = logits / temperature + _gumbel(noise, drawn, logits)
        made.append(logits.argmax(-1, keepdim=True) if choose is None else choose(logits, made))
        if len(made) == count or (stop is not None and bool((made[-1] == stop).all())):
            return torch.cat(made, dim=1)
        mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
        at = at + 1
        hidden = network.hidden(
            network.words(made[-1]), masks.additive(mask[:, None], embeddings.dtype), at, cache
        )


def forced(
    network: WordNetwork, embeddings: Tensor, batch: Batch, tokens: Tensor, *, given: Tensor | None = None
) -> Tensor:
    """Logits of each of ``tokens``, float32[B, n, vocabulary], where those before it are given: one pass.

    ``given`` is as ``decode`` takes it.
    """
    count = tokens.shape[1]
    before = tokens[:, :-1] if given is None else torch.cat([given, tokens[:, :-1]], dim=1)
    every, mask, at, size = _continued(network, embeddings, batch, before)
    hidden = network.hidden(every, masks.additive(prompted(network, mask, size), every.dtype), at)
    return network.logits(hidden[:, -count:])


def _continued(
    network: WordNetwork, embeddings: Tensor, batch: Batch, tokens: Tensor | None
) -> tuple[Tensor, Tensor, Tensor, int]:
    """A question and what follows it: embeddings, mask, positions, and the length of the question."""
    mask, at, size = batch.attention_mask, batch.position_ids, batch.attention_mask.shape[1]
    if tokens is None or not tokens.shape[1]:
        return embeddings, mask, at, size
    count = tokens.shape[1]
    every = torch.cat([embeddings, network.words(tokens).to(embeddings.dtype)], dim=1)
    mask = torch.cat([mask, mask.new_ones(len(tokens), count)], dim=1)
    more = at[..., -1:] + torch.arange(1, count + 1, device=at.device)
    return every, mask, torch.cat([at, more], dim=-1), size


def token_scores(logits: Tensor, tokens: Tensor, chunk: int, groups: Mapping[str, tuple[int, ...]]) -> Scores:
    """Forced log-probabilities, summed in all and by group.

    Args:
        logits: float32[B, chunk * dims, vocabulary], of ``forced``.
        tokens: int64[B, chunk * dims].
        chunk: actions.
        groups: dimensions by group.
    """
    found = logits.log_softmax(-1).gather(-1, tokens[..., None])[..., 0]
    table = found.reshape(len(tokens), chunk, -1)
    return Scores(
        total=table.sum((1, 2)),
        groups={name: table[..., list(dims)].sum((1, 2)) for name, dims in groups.items()},
    )


def prompted(network: WordNetwork, mask: Tensor, length: int) -> Tensor:
    """Who looks at whom, bool[B, L, L], where the first ``length`` positions are the question."""
    if not getattr(network, "together", False):
        return masks.causal(mask)
    order = torch.arange(mask.shape[1], device=mask.device)
    return masks.prefix(mask, mask & (order < length))


def _gumbel(noise: list[np.random.Generator], drawn: Sequence[tuple[int, int, int]], like: Tensor) -> Tensor:
    rows = [
        source.gumbel(size=like.shape[-1]) if sample else np.zeros(like.shape[-1])
        for source, (_, _, sample) in zip(noise, drawn, strict=True)
    ]
    return torch.from_numpy(np.stack(rows)).to(like)
