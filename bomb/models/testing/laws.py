"""``check_vla``: all laws, one after the other."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from bomb.models.checkpoint import Checkpoint
from bomb.models.requests import Request
from bomb.models.testing.inside import check_anatomy, check_attention, check_parts
from bomb.models.testing.promise import require
from bomb.models.testing.questions import toy_actions, toy_requests
from bomb.models.vla import VLA, Batch

TOLERANCE = 1e-4  # of float32 through a few layers, in the units of what is compared


def check_vla(
    vla: VLA,
    folder: Path,
    *,
    requests: Sequence[Request] | None = None,
    actions: npt.NDArray[np.float32] | None = None,
    steps: int = 20,
    rate: float = 3e-3,
) -> None:
    """Checks all that the contract promises.

    Args:
        vla: a small model in float32; it is trained, and hence changed.
        folder: to write checkpoints into.
        requests: at least two, with sentences of different lengths; None makes some up.
        actions: float32[len(requests), chunk, 4]; None makes some up.
        steps: of training, after which the loss must be lower.
        rate: of learning.

    Raises:
        VLACheckError: for the first law that is broken.
    """
    vla.eval()
    requests = toy_requests(vla.settings) if requests is None else requests
    actions = toy_actions(vla.settings, len(requests)) if actions is None else actions
    seeds = [(7 + k, 5 * k) for k in range(len(requests))]
    check_answers(vla, requests, seeds)
    check_scores(vla, requests, seeds)
    check_forced(vla, requests, seeds)
    check_codec(vla, actions)
    check_losses(vla, requests, actions, seeds)
    check_anatomy(vla, requests)
    check_attention(vla, requests, seeds)
    check_files(vla, requests, seeds, folder)
    check_learning(vla, requests, actions, steps, rate)
    check_parts(vla, requests, actions, seeds)


def largest(one: object, other: object) -> float:
    """The greatest difference between two arrays or tensors."""
    first, second = (
        np.asarray(value.detach().cpu() if isinstance(value, torch.Tensor) else value)
        for value in (one, other)
    )
    return float(np.abs(first.astype(np.float64) - second.astype(np.float64)).max())


def answers(
    vla: VLA, batch: Batch, seeds: Sequence[tuple[int, int]], samples: int = 1
) -> npt.NDArray[np.float32]:
    """``act`` without a gradient."""
    with torch.inference_mode():
        return vla.act(batch, seeds=seeds, samples=samples)


def check_answers(vla: VLA, requests: Sequence[Request], seeds: Sequence[tuple[int, int]]) -> None:
    """Shape and kind; an answer depends on its question, seed, step and sample, and on nothing else."""
    batch = vla.encode(requests)
    together = answers(vla, batch, seeds)
    shape = (len(requests), 1, vla.settings.chunk, 4)
    require(
        together.shape == shape and together.dtype == np.float32, f"act gives float32{shape}", together.shape
    )
    require(bool(np.isfinite(together).all()), "actions are finite")
    gripper = together[..., 3]
    require(bool(((gripper >= 0) & (gripper <= 1)).all()), "the gripper is from 0 to 1", gripper)
    require(largest(answers(vla, batch, seeds), together) == 0, "the same question gives the same answer")
    alone = [answers(vla, vla.encode([one]), [seed]) for one, seed in zip(requests, seeds, strict=True)]
    away = largest(np.concatenate(alone), together)
    require(away < TOLERANCE, "a batch is as its members alone", away)
    longer = vla.encode(requests, length=batch.attention_mask.shape[1] + 5)
    require(longer.attention_mask.shape[1] >= batch.attention_mask.shape[1] + 5, "length pads the sequence")
    away = largest(answers(vla, longer, seeds), together)
    require(away < TOLERANCE, "padding changes nothing", away)
    away = largest(answers(vla, batch.select([1, 0]), [seeds[1], seeds[0]]), together[[1, 0]])
    require(away < TOLERANCE, "the order of a batch changes nothing", away)
    several = answers(vla, batch, seeds, samples=3)
    require(several.shape == (len(requests), 3, *shape[2:]), "act gives as many samples as asked for")
    away = largest(several[:, :1], together)
    require(away < TOLERANCE, "the first sample is the same however many are asked for", away)
    nothing = torch.zeros_like(batch.attention_mask)
    away = largest(answers(vla, batch.hide(nothing), seeds), together)
    require(away == 0, "hiding nothing changes nothing", away)


@torch.no_grad()
def check_scores(vla: VLA, requests: Sequence[Request], seeds: Sequence[tuple[int, int]]) -> None:
    """A score depends on its question and reference alone; the groups make up the total."""
    batch = vla.encode(requests)
    reference = vla.decide(batch, seeds=seeds)
    away = largest(reference.actions, answers(vla, batch, seeds)[:, 0])
    require(away < TOLERANCE, "decide decides what act does", away)
    scores = vla.score(batch, reference)
    require(scores.total.shape == (len(requests),), "there is one score per question", scores.total.shape)
    require(set(scores.groups) == set(vla.codec.groups), "scores are split by group", list(scores.groups))
    away = largest(sum(scores.groups.values()), scores.total)
    require(away < TOLERANCE, "the groups' scores sum up to the total", away)
    alone = [
        vla.score(vla.encode([one]), reference.select([k])).total.item() for k, one in enumerate(requests)
    ]
    away = largest(alone, scores.total)
    require(away < TOLERANCE, "scores of a batch are those of its members alone", away)


@torch.no_grad()
def check_forced(vla: VLA, requests: Sequence[Request], seeds: Sequence[tuple[int, int]]) -> None:
    """Where an answer is made of tokens, its forced log-probabilities are those that it was made by."""
    batch = vla.encode(requests)
    network: Any = getattr(vla, "backbone", None) or vla.network
    if not hasattr(network, "logits"):
        return
    seen: list[torch.Tensor] = []
    inside = network.logits

    def told(hidden: torch.Tensor) -> torch.Tensor:
        seen.append(inside(hidden))
        return seen[-1]

    network.logits = told
    try:
        reference = vla.decide(batch, seeds=seeds)
        made = [part if part.ndim == 3 else part[:, None] for part in seen]
        seen.clear()
        vla.score(batch, reference)
    finally:
        del network.logits
    if "tokens" not in reference.raw or not made:
        return
    count = reference.raw["tokens"].shape[1]
    generated, forced = (torch.cat(part, dim=1)[:, :count].log_softmax(-1) for part in (made, seen))
    tokens = reference.raw["tokens"].to(forced.device)[..., None]
    away = largest(generated.gather(-1, tokens), forced.gather(-1, tokens))
    require(away < TOLERANCE, "forced log-probabilities are those of the answer as it was made", away)


def check_codec(vla: VLA, actions: npt.NDArray[np.float32]) -> None:
    """An action that is encoded and decoded comes back, to within half a bin."""
    back = vla.codec.to_bomb(vla.quantise(vla.codec.normalise(actions)))
    away = largest(back, actions)
    require(
        away < vla.round_trip, f"encoding and decoding move an action by less than {vla.round_trip}", away
    )


def check_losses(
    vla: VLA, requests: Sequence[Request], actions: npt.NDArray[np.float32], seeds: Sequence[tuple[int, int]]
) -> None:
    """The total is the mean of the samples; what does not count has no gradient; weights weigh."""
    batch = vla.encode(requests, actions)
    losses = vla.loss(batch, seeds=seeds)
    require(losses.total.ndim == 0 and bool(torch.isfinite(losses.total)), "the loss is a finite number")
    require(losses.total.requires_grad, "the loss has a gradient")
    away = largest(losses.samples.mean(), losses.total)
    require(away < TOLERANCE, "the samples' losses average to the total", away)
    require(set(losses.groups) == set(vla.codec.groups), "losses are split by group", list(losses.groups))
    require(losses.offsets.shape == (vla.settings.chunk,), "losses are split by offset", losses.offsets.shape)
    alone = [
        vla.loss(vla.encode([one], actions[k : k + 1]), seeds=[seeds[k]]).total.item()
        for k, one in enumerate(requests)
    ]
    away = largest(alone, losses.samples)
    require(away < TOLERANCE, "losses of a batch are those of its members alone", away)
    if vla.settings.chunk > 1:
        valid = np.ones(actions.shape[:2], dtype=bool)
        valid[:, -1] = False
        other = actions.copy()
        other[:, -1] = -other[:, -1]
        other[:, -1, 3] = 1 - actions[:, -1, 3]
        masked = [vla.loss(vla.encode(requests, a, valid=valid), seeds=seeds).total for a in (actions, other)]
        away = largest(*masked)
        # A model that reads its own answer while learning may see the masked end of it.
        require(away < TOLERANCE or bool(vla.reads_answer), "what is masked does not count", away)
    heavy = vla.loss(batch, seeds=seeds, weights={"z": 0.0}).total
    require(largest(heavy, losses.total) > 0, "a group's weight changes the loss")


def check_files(
    vla: VLA, requests: Sequence[Request], seeds: Sequence[tuple[int, int]], folder: Path
) -> None:
    """What was saved is what is loaded, to the last bit."""
    place = Path(folder) / "checkpoint"
    Checkpoint(vla=vla).save(place)
    again = Checkpoint.load(place, device=str(vla.device)).vla
    require(type(again) is type(vla), "what is loaded is of the same family", type(again))
    require(again.settings == vla.settings, "settings come back as they were")
    ours, theirs = vla.state_dict(), again.state_dict()
    require(ours.keys() == theirs.keys(), "the same weights come back", ours.keys() ^ theirs.keys())
    wrong = [key for key, value in ours.items() if not torch.equal(value, theirs[key])]
    require(not wrong, "weights come back to the last bit", wrong[:3])
    here, there = (answers(model, model.encode(requests), seeds) for model in (vla, again))
    away = largest(here, there)
    require(away == 0, "what was loaded answers as what was saved", away)


def check_learning(
    vla: VLA, requests: Sequence[Request], actions: npt.NDArray[np.float32], steps: int, rate: float
) -> None:
    """The loss falls."""
    batch = vla.encode(requests, actions)
    optimizer = torch.optim.AdamW([w for w in vla.parameters() if w.requires_grad], lr=rate, weight_decay=0.0)
    seeds = [(k, 0) for k in range(len(requests))]
    found = []
    vla.train()
    for _ in range(steps):
        loss = vla.loss(batch, seeds=seeds).total
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    vla.eval()
    require(bool(np.isfinite(found).all()), "the loss stays finite", found)
    require(found[-1] < 0.9 * found[0], f"the loss falls in {steps} steps", (found[0], found[-1]))
