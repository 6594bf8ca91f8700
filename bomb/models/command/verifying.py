"""``bomb models verify DIR``: what somebody with real weights runs once.

Each check is one that a wrong file, a wrong convention or another version of a library would fail.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from bomb.machine.diagnosis import Finding
from bomb.models.backbones.building import PUBLISHED
from bomb.models.checkpoint import Checkpoint
from bomb.models.on_backbone import BackboneVLA
from bomb.models.requests import Request
from bomb.models.testing.questions import toy_requests
from bomb.models.vla import VLA
from core.errors import BombError, OptionError, UnknownNameError

ALONE = {torch.float32: 1e-3, torch.bfloat16: 0.1, torch.float16: 0.1}  # batch against single, BOMB's terms


def verify(
    folder: Path,
    *,
    device: str = "auto",
    dtype: str | None = None,
    requests: Sequence[Request] | None = None,
    actions: npt.NDArray[np.float32] | None = None,
) -> Iterator[Finding]:
    """Every check, in an order in which each can explain the next.

    Args:
        folder: of the checkpoint.
        device, dtype: as ``Checkpoint.load`` takes them.
        requests: moments of a dataset; None makes some up.
        actions: float32[n, chunk, 4], what was done then; None: not compared.
    """
    try:
        vla = Checkpoint.load(folder, device=device, dtype=dtype).vla
    except (OptionError, UnknownNameError):
        raise  # not the files' fault
    except BombError as error:
        yield Finding(
            what="files", ok=False, found=str(error), advice="docs/models.md says what must be there"
        )
        return
    yield Finding(what="files", ok=True, found="all keys and shapes fit, none is missing or left over")
    yield count(vla)
    if isinstance(vla, BackboneVLA):
        yield count_of_backbone(vla)
    yield statistics(vla)
    yield round_trip(vla)
    requests = toy_requests(vla.settings) if requests is None else requests
    yield from answers(vla, requests)
    if actions is not None:
        yield from prediction(vla, requests, actions)


def count(vla: VLA) -> Finding:
    """Parameters, and whose public model has as many."""
    here = vla.count()
    same = [name for name, number in vla.published.items() if number == here]
    known = ", ".join(f"{name} {number:,}" for name, number in vla.published.items())
    said = f"as many as {', '.join(same)}" if same else f"published: {known}" if known else "none published"
    return Finding(what="parameters", ok=True, found=f"{here:,} ({said})")


def count_of_backbone(vla: BackboneVLA) -> Finding:
    """Parameters of the VLM alone, and those of the public one."""
    name = vla.backbone.name
    here, known = sum(w.numel() for w in vla.backbone.model.parameters()), PUBLISHED.get(name)
    said = "none published" if known is None else "as published" if here == known else f"published: {known:,}"
    return Finding(what=f"parameters of {name}", ok=True, found=f"{here:,} ({said})")


def statistics(vla: VLA) -> Finding:
    """Whether every dimension of an action moves."""
    found = vla.codec.statistics
    still = np.flatnonzero(found.constant)
    width = found.q99 - found.q01
    said = f"q99 - q01 = {np.array2string(width, precision=3)}"
    advice = f"dimensions {still.tolist()} never move in the training data" if len(still) else ""
    return Finding(what="statistics", ok=not len(still), found=said, advice=advice)


def round_trip(vla: VLA) -> Finding:
    """An action that is encoded and decoded comes back."""
    draw = np.random.default_rng(0)
    codec = vla.codec
    low, high = codec.statistics.q01, codec.statistics.q99
    shape = (-(-1000 // vla.settings.chunk), vla.settings.chunk)
    inside = draw.uniform(low, high, (*shape, codec.dims))
    inside[..., 3:-1] = 0  # a rotation
    inside[..., -1] = np.where(draw.random(shape) < 0.5, codec.statistics.min[-1], codec.statistics.max[-1])
    try:
        bomb = codec.convention.to_bomb(inside.reshape(-1, codec.dims)).reshape(*shape, -1)
        back = codec.to_bomb(vla.quantise(codec.normalise(bomb)))
    except BombError as error:
        advice = "the convention of bomb.json does not fit the statistics"
        return Finding(what="action round trip", ok=False, found=str(error), advice=advice)
    away = float(np.abs(back - bomb).max())
    advice = "" if away < vla.round_trip else "convention, mask and statistics do not belong together"
    return Finding(
        what="action round trip", ok=away < vla.round_trip, found=f"within {away:.2g}", advice=advice
    )


def answers(vla: VLA, requests: Sequence[Request]) -> Iterator[Finding]:
    """Actions are finite, a batch is as its members, and pictures and words matter."""
    seeds = [(k, 0) for k in range(len(requests))]
    try:
        with torch.inference_mode():
            together = vla.act(vla.encode(requests), seeds=seeds)
            alone = [
                vla.act(vla.encode([one]), seeds=[seed]) for one, seed in zip(requests, seeds, strict=True)
            ]
            away = float(np.abs(np.concatenate(alone) - together).max())
            scores = sensitivity(vla, requests[0], seeds[0])
    except BombError as error:
        yield Finding(what="an answer", ok=False, found=str(error))
        return
    first = np.array2string(together[0, 0, 0], precision=3)
    yield Finding(what="an answer", ok=True, found=f"first action {first}")
    yield Finding(what="batch against single", ok=away < ALONE[vla.dtype], found=f"within {away:.2g}")
    for what, change in scores.items():
        yield Finding(
            what=f"looks at {what}",
            ok=change != 0,
            found=f"the score changes by {change:.3g}",
            advice="" if change else "the model answers alike whatever it is shown",
        )


def sensitivity(vla: VLA, request: Request, seed: tuple[int, int]) -> dict[str, float]:
    """How much the score of a decision changes with black pictures, and with no words."""
    black = {name: np.zeros_like(picture) for name, picture in request.pictures.items()}
    changed = [request, replace(request, pictures=black), replace(request, instruction="Do the task.")]
    reference = vla.decide(vla.encode([request]), seeds=[seed]).select([0, 0, 0])
    total = vla.score(vla.encode(changed), reference).total.float()
    return {"pictures": float(total[1] - total[0]), "words": float(total[2] - total[0])}


def prediction(vla: VLA, requests: Sequence[Request], actions: npt.NDArray[np.float32]) -> Iterator[Finding]:
    """How far the model is from what was done in a dataset, as its training log would say it."""
    with torch.no_grad():
        losses = vla.loss(vla.encode(requests, actions), seeds=[(k, 0) for k in range(len(requests))])
        made = vla.act(vla.encode(requests), seeds=[(k, 0) for k in range(len(requests))])[:, 0]
    numbers = {"loss": float(losses.total), **{name: float(value) for name, value in losses.metrics.items()}}
    said = ", ".join(f"{name} {value:.3f}" for name, value in numbers.items())
    yield Finding(what=f"{len(requests)} moments of the dataset", ok=True, found=said)
    away = np.abs(made - actions).mean((0, 1))
    still = np.abs(actions).mean((0, 1))
    yield Finding(
        what="predicted actions",
        ok=bool(away[:3].mean() < still[:3].mean()),
        found=f"mean |error| of x, y, z, gripper {np.array2string(away, precision=3)}",
        advice="" if away[:3].mean() < still[:3].mean() else "no better than standing still",
    )
