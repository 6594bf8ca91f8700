"""From way points to actions: how many are carried out before the next look, and what is remembered."""

from dataclasses import replace

import torch
from torch import Tensor

from bomb.models.small.memory import HALF, LONG, EpisodeMemory
from core.control.actions import WORKSPACE_HIGH, WORKSPACE_LOW

MOVING = 0.003  # m: a commanded target that goes this far is not waiting
SETTLED = 24  # actions after the release, after which nothing is looked for any more


def followed(here: Tensor, targets: Tensor, max_step: float) -> Tensor:
    """Where the commanded target is after each action, float[N, chunk, 3] (m).

    Args:
        here: float[N, 3], where it is now.
        targets: float[N, chunk, 3], where it is to be.
        max_step: how far it moves along an axis in one action (m).
    """
    low, high = (
        torch.tensor(box, dtype=here.dtype, device=here.device) for box in (WORKSPACE_LOW, WORKSPACE_HIGH)
    )
    points = []
    for target in targets.unbind(1):
        here = here + (torch.maximum(torch.minimum(target, high), low) - here).clamp(-max_step, max_step)
        points.append(here)
    return torch.stack(points, 1)


def carried_out(memory: EpisodeMemory, points: Tensor, openings: Tensor, few: int) -> Tensor:
    """How many actions of a chunk are carried out before the next look, int64[N].

    ``few``, but of a plan to wait and then to move no part that ends before it moves: the next plan
    would be the same. All, once a stone was let go a while ago.

    Args:
        memory: after the look.
        points: as ``followed`` makes them.
        openings: float[N, chunk], 0 to 1.
        few: actions.
    """
    chunk = points.shape[1]
    away = (points - memory.commanded[:, None, :3]).abs().amax(2) > MOVING
    happens = away | ((openings < HALF) != (memory.commanded[:, 3:] < HALF))
    first = torch.where(happens.any(1), happens.int().argmax(1) + 2, few)
    count = first.clamp(few, chunk)
    done = (memory.released > 0) & (memory.since >= SETTLED)
    return torch.where(done[:, 0], chunk, count)


def remembered(memory: EpisodeMemory, points: Tensor, openings: Tensor, count: Tensor) -> EpisodeMemory:
    """What is remembered once ``count`` actions of a chunk were carried out; other arguments as above."""
    commanded, since = memory.commanded, memory.since
    for k in range(points.shape[1]):
        acted = (k < count)[:, None]
        now = torch.cat([points[:, k], openings[:, k, None]], 1)
        turned = (now[:, 3:] < HALF) != (commanded[:, 3:] < HALF)
        later = torch.where(turned, torch.zeros_like(since), (since + 1).clamp(max=LONG))
        since = torch.where(acted, later, since)
        commanded = torch.where(acted, now, commanded)
    return replace(memory, commanded=commanded, since=since)
