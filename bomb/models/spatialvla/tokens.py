"""Learning and scoring an action of three tokens by the groups that the contract knows.

The token of a translation is split by the chain rule: ``xy`` has the log-probability of the azimuth phi (all
tokens that share it), ``z`` that of the polar angle and the radius where phi is given. A model without a
rotation (four numbers an action) says one all the same: it is learned with the end of the sequence, and not
scored.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from bomb.models.codecs.spatial import TOKENS, SpatialGrid
from bomb.models.losses import chunk_losses
from bomb.models.vla import Losses, Scores


def split(logits: Tensor, tokens: Tensor, grid: SpatialGrid, begin: int) -> dict[str, Tensor]:
    """Log-probabilities, float32[B, chunk], of ``xy``, ``z``, ``rotation``, ``gripper``.

    Args:
        logits: float32[B, chunk * 3, vocabulary].
        tokens: int64[B, chunk * 3], ids; the first of each action should be a translation.
        grid: what they mean.
        begin: id of the first action token.
    """
    every = logits.log_softmax(-1).unflatten(1, (-1, TOKENS))
    ids = tokens.unflatten(1, (-1, TOKENS))
    found = every.gather(-1, ids[..., None])[..., 0]
    theta, phi, r = grid.shapes[0]
    places = every[:, :, 0, begin : begin + grid.translations]
    by_phi = places.unflatten(-1, (theta, phi, r)).logsumexp(dim=(-3, -1))
    index = (ids[..., 0] - begin).clamp(0, grid.translations - 1) // r % phi
    xy = by_phi.gather(-1, index[..., None])[..., 0]
    return {"xy": xy, "z": found[..., 0] - xy, "rotation": found[..., 1], "gripper": found[..., 2]}


def spatial_losses(
    logits: Tensor,
    labels: Tensor,
    actions: Tensor,
    valid: Tensor,
    *,
    grid: SpatialGrid,
    begin: int,
    groups: Mapping[str, tuple[int, ...]],
    weights: Mapping[str, float] | None = None,
) -> Losses:
    """Cross-entropy of an answer: three tokens an action and the end of the sequence.

    With all weights 1 and everything valid, ``total`` is the mean over all tokens.

    Args:
        logits: float32[B, chunk * 3 + 1, vocabulary].
        labels: int64[B, chunk * 3 + 1].
        actions: float32[B, chunk, dims], normalised.
        valid: bool[B, chunk].
        grid, begin: as ``split`` takes them.
        groups, weights: as ``chunk_losses`` takes them.
    """
    numbers = labels[:, :-1]
    parts = split(logits[:, :-1], numbers, grid, begin)
    stop = functional.cross_entropy(logits[:, -1], labels[:, -1], reduction="none")
    errors = torch.zeros_like(actions)
    scale = [0.0] * actions.shape[-1]
    for name, dims in groups.items():
        for k in dims:
            errors[..., k] = -parts[name]
            scale[k] = 1 / len(dims)
    counted = valid.to(errors.dtype)
    rest = stop
    if "rotation" not in groups:
        rest = stop - (parts["rotation"] * counted).sum(1)
    said = logits[:, :-1].argmax(-1)
    right = (said == numbers).unflatten(1, (-1, TOKENS))[valid]
    metrics = {
        "token_accuracy": right.float().mean().item(),
        "l1": _away(said, actions, valid, grid, begin),
        "stop": stop.mean().item(),
    }
    part = chunk_losses(errors, valid, groups, weights, metrics, scale=scale)
    # Each action is three tokens, and the end of the sequence one more.
    here = counted.sum(1)
    samples = (part.samples * here + rest) / (TOKENS * here + 1)
    total = (part.total * here.sum() + rest.sum()) / (TOKENS * here.sum() + len(here))
    return Losses(
        total=total, samples=samples, groups=part.groups, offsets=part.offsets, metrics=part.metrics
    )


def spatial_scores(
    logits: Tensor, tokens: Tensor, grid: SpatialGrid, begin: int, groups: Mapping[str, tuple[int, ...]]
) -> Scores:
    """Forced log-probabilities, summed over a chunk, by group and in all."""
    parts = split(logits, tokens, grid, begin)
    found = {name: parts[name].sum(1) for name in groups}
    return Scores.summed(found)


def numbers_of(tokens: Tensor, grid: SpatialGrid, begin: int, dims: int) -> npt.NDArray[np.float64]:
    """Normalised actions, float64[B, chunk, dims], of token ids int64[B, chunk * 3]."""
    ids = tokens.unflatten(1, (-1, TOKENS)).cpu().numpy() - begin
    found = grid.decode(ids)
    return found if dims == 7 else found[..., [0, 1, 2, 6]]


def _away(said: Tensor, actions: Tensor, valid: Tensor, grid: SpatialGrid, begin: int) -> float:
    values = torch.from_numpy(numbers_of(said, grid, begin, actions.shape[-1])).to(actions)
    return float((values - actions).abs()[valid].mean())
