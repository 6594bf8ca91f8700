"""Losses and scores of answers whose words each tell something of several dimensions."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bomb.models.pi0_fast.words import FastWords
from bomb.models.vla import Losses, Scores
from core.errors import OptionError, check_choice

Groups = Mapping[str, tuple[int, ...]]


def fast_losses(
    logits: Tensor,
    labels: Tensor,
    shares: Tensor,
    actions: Tensor,
    *,
    words: FastWords,
    groups: Groups,
    weights: Mapping[str, float] | None = None,
) -> Losses:
    """Cross-entropy of answers: each sample's mean over its words, and the mean of these, as in openpi.

    A word's loss is of the dimensions that it tells, by its shares. It tells of a whole chunk: every offset
    has the same part of it.

    Args:
        logits: float32[B, n, vocabulary].
        labels: int64[B, n]; answers end together.
        shares: float32[B, n, dims], see ``FastWords.shares``; 0 where there is no answer yet.
        actions: float32[B, chunk, dims], normalised.
        words: what the labels mean.
        groups: dimensions by group of the action.
        weights: by group; those left out weigh 1.

    Raises:
        UnknownNameError: for a weight of a group that there is not.
        OptionError: for a weight that is negative or no number.
    """
    share = shares.new_ones(shares.shape[-1])
    for name, weight in (weights or {}).items():
        check_choice("group of the action", name, groups)
        if not weight >= 0 or not np.isfinite(weight):
            raise OptionError(f"the weight of {name} must be a number from 0 up, got {weight!r}")
        share[list(groups[name])] *= float(weight)
    errors = functional.cross_entropy(logits.transpose(1, 2), labels, reduction="none")
    counted = shares.sum(-1)
    samples = (errors * (shares @ share)).sum(1) / counted.sum(1).clamp(min=1)
    plain = errors.detach()
    mean = (plain * counted).sum() / counted.sum().clamp(min=1)
    found = logits.argmax(-1)
    there = counted > 0
    # What is not yet the answer says nothing.
    told = torch.where(there, found, torch.full_like(found, words.tokenizer.eos_token_id)).cpu().numpy()
    away = np.abs(words.decode(told) - actions.cpu().numpy())
    of_group = {
        name: (plain[..., None] * shares)[..., list(d)].sum() / shares[..., list(d)].sum().clamp(min=1e-9)
        for name, d in groups.items()
    }
    return Losses(
        total=samples.mean(),
        samples=samples,
        groups=of_group,
        offsets=mean.expand(actions.shape[1]),
        metrics={
            "token_accuracy": (found == labels)[there].float().mean().item() if there.any() else 0.0,
            "l1": float(away.mean()),
        },
    )


def fast_scores(logits: Tensor, tokens: Tensor, *, words: FastWords, groups: Groups) -> Scores:
    """Forced log-probabilities of the words up to the bar, summed in all and by what they tell.

    Args:
        logits: float32[B, n, vocabulary].
        tokens: int64[B, n], from the first action token on; behind a bar nothing counts.
        words: what they mean.
        groups: dimensions by group of the action.
    """
    found = logits.log_softmax(-1).gather(-1, tokens[..., None])[..., 0]
    bars = (tokens == words.bar).long()
    counted = bars.cumsum(1) - bars == 0
    rows = [words.shares(row) for row in tokens.cpu().tolist()]
    shares = torch.from_numpy(np.stack(rows)).to(found) * counted[..., None]
    table = found[..., None] * shares
    return Scores(
        total=table.sum((1, 2)),
        groups={name: table[..., list(dims)].sum((1, 2)) for name, dims in groups.items()},
    )
