"""The whole network learns actions from pictures and words, its gradient running through all of its parts.

What is right in a moment is what the hand would do that has learned from demonstrations, if it knew the
stone and the goal exactly. The network has pictures, words and its own memory of the moments before.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bomb.models.keypoint.format import CAMERAS
from bomb.models.small.eye import SIDE
from bomb.models.small.family import SmallVLA
from bomb.models.small.hand import features
from bomb.models.small.memory import EpisodeMemory, beginning
from bomb.models.small.network import Question, SmallOutput
from bomb.training.keypoint.eye import CLIP, SAVE_EVERY, WARM_UP, resumed_step, save_state
from bomb.training.keypoint.eye_loss import eye_loss
from bomb.training.keypoint.words import batch_of
from bomb.training.small.moving import Ways, lesson, lesson_loss
from bomb.training.small.reading import slot_loss
from bomb.training.small.recipe import TogetherRecipe
from bomb.training.small.scenes import Scene, Shown, Told, about, shown
from core.errors import BombError

SAME = 0.03  # m: a stone this near to where one is believed is the one that is meant
FAR = 3.0  # cm: errors beyond this count less and less
WORDS, LESSON, LESSONS = 0.2, 1.0, 64  # weights of reading and of the hand's lessons; situations per step


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelledAnswer:
    """What the network said of a moment of N scenes, and what was right.

    Attributes:
        answer: of the network.
        stone: float32[N, 2] (m), the stone that it went for, as it really lies.
        found: bool[N], whether there is one where it is believed, or one in the hand.
        goal: float32[N, 2] (m).
        moment: what was shown.
    """

    answer: SmallOutput
    stone: Tensor
    found: Tensor
    goal: Tensor
    moment: Shown


def looked(
    vla: SmallVLA, scenes: Sequence[Scene], told: Sequence[Told], rng: np.random.Generator | None
) -> list[LabelledAnswer]:
    """All moments of some scenes, one after the other, with the network's own memory."""
    places = {word: k for k, word in enumerate(vla.vocabulary)}
    tokens, there, _ = batch_of([(one.words, one.meant) for one in told], places)
    goal = torch.from_numpy(np.array([one.goal for one in told], dtype=np.float32))
    moments = shown(scenes, told, rng)
    memory = _first(moments[0], told, vla)
    seen = []
    for moment in moments:
        memory = replace(
            memory, commanded=moment.commanded, since=moment.since, holds=moment.holds,
            released=torch.zeros_like(moment.holds),
        )  # fmt: skip
        pictures = moment.pictures
        question = Question(
            pictures=pictures, shown=torch.ones(len(pictures), len(CAMERAS), SIDE, SIDE),
            states=moment.states, memory=memory, tokens=tokens, there=there,
        )  # fmt: skip
        answer = vla.network(question)
        memory = answer.memory
        stone, found = _meant(answer, moment)
        seen.append(LabelledAnswer(answer=answer, stone=stone, found=found, goal=goal, moment=moment))
    return seen


def _first(moment: Shown, told: Sequence[Told], vla: SmallVLA) -> EpisodeMemory:
    rows = np.stack([beginning(state) for state in moment.states.numpy()])
    memory = EpisodeMemory.unpacked(torch.from_numpy(rows))
    hinted = torch.tensor([[one.hint is not None] for one in told])
    hints = torch.tensor(
        np.array([np.zeros(2) if one.hint is None else one.hint for one in told], dtype=np.float32)
    )
    information = vla.network.belief.information().detach()
    return replace(memory, stone=hints, stone_known=torch.where(hinted, information, torch.zeros(1)))


def _meant(answer: SmallOutput, moment: Shown) -> tuple[Tensor, Tensor]:
    places, found = [], []
    for k, stones in enumerate(moment.stones):
        here = answer.stone[k].detach()
        away = (stones - here).norm(dim=1) if len(stones) else torch.tensor([1.0])
        near = bool(away.min() < SAME)
        places.append(stones[away.argmin()] if near else here)
        found.append(near or bool(moment.holds[k, 0]))
    return torch.stack(places), torch.tensor(found)


def action_losses(vla: SmallVLA, seen: Sequence[LabelledAnswer], teacher: nn.Module) -> tuple[Tensor, Tensor]:
    """Of way points and openings, and of where stone and goal are (bounded, cm); means over all moments."""
    acted, pointed = [], []
    for one in seen:
        answer, states = one.answer, one.moment.states
        with torch.no_grad():
            targets, openings = taught(vla, one, teacher, one.stone)
        losses = vla.chunk_loss(
            answer, targets, openings.sigmoid(), one.found[:, None].expand(-1, targets.shape[1])
        )
        acted.append(losses.total)
        free = (1 - one.moment.holds[:, 0]) * one.found
        for said, right, counts in (
            (answer.goal, one.goal, torch.ones(len(states))),
            (answer.stone, one.stone, free),
        ):
            away = 100 * (said - right).abs().sum(1)
            pointed.append((counts * away / (1 + away / FAR)).mean())
    return torch.stack(acted).mean(), torch.stack(pointed).mean()


def taught(vla: SmallVLA, one: LabelledAnswer, teacher: nn.Module, stone: Tensor) -> tuple[Tensor, Tensor]:
    """Way points (m) and the logarithm of the odds to be open, as the teacher has them that knows stone and
    goal."""
    memory, states = one.answer.memory, one.moment.states
    flags = vla.network.flags(memory, states)
    known = features(memory.commanded, states, flags, stone, one.goal, one.answer.errors.detach())
    targets, openings = teacher(known, memory.commanded[:, :3], stone, one.goal)
    return targets, openings


def map_loss(seen: Sequence[LabelledAnswer]) -> Tensor:
    """What the eyes are told about their maps and reference points, as when they learned alone."""
    losses = []
    for number, camera in enumerate(CAMERAS):
        for one in seen:
            loss, _ = eye_loss(*one.answer.maps[camera], targets=one.moment.targets[number])
            losses.append(loss)
    return torch.stack(losses).mean()


def train_together(
    vla: SmallVLA, scenes: Sequence[Scene], ways: Ways, recipe: TogetherRecipe, seed: int, state: Path,
    report: Callable[[int, float, dict[str, Any]], None] | None = None,
    kept: Callable[[int, nn.Module], None] | None = None,
) -> None:  # fmt: skip
    """Teaches the whole network; the same call resumes one that was interrupted.

    Args:
        vla: whose parts have learned alone.
        scenes: what it looks at.
        ways: what its hand goes on learning from.
        recipe: how.
        seed: of order and augmentation.
        state: file to resume from.
        report: called with each step, its loss and the loss's parts.
        kept: called every ``recipe.keep`` steps and with the last, with the step and the hand that teaches;
            once more for the same step, if the training is interrupted right after it.

    Raises:
        FileError: if the state cannot be read.
        BombError: naming the step, if a loss is not finite.
    """
    network, teacher = vla.network, copy.deepcopy(vla.network.hand).requires_grad_(False)
    eyes = list(network.eyes.parameters())
    others = [
        weight for part in (network.reader, network.belief, network.hand) for weight in part.parameters()
    ]
    optimiser = torch.optim.AdamW(
        [{"params": eyes, "lr": recipe.rate * recipe.eyes}, {"params": others, "lr": recipe.rate}],
        weight_decay=1e-4,
    )
    rates = [recipe.rate * recipe.eyes, recipe.rate]
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, rates, total_steps=recipe.steps, pct_start=WARM_UP
    )
    parts = {"network": network, "teacher": teacher, "optimiser": optimiser, "schedule": schedule}
    for step in range(resumed_step(state, parts) + 1, recipe.steps + 1):
        rng = np.random.default_rng([seed, 7, step])
        chosen = [scenes[int(k)] for k in rng.integers(len(scenes), size=recipe.batch)]
        told = [about(scene, recipe.looks, rng) for scene in chosen]
        seen = looked(vla, chosen, told, rng)
        acted, pointed = action_losses(vla, seen, teacher)
        mapped = map_loss(seen)
        read = slot_loss(seen[0].answer.slots, torch.tensor([one.meant for one in told]))
        practised = lesson_loss(network.hand, lesson(ways, LESSONS, vla.max_step, rng))
        loss = acted + recipe.points * pointed + recipe.maps * mapped + WORDS * read + LESSON * practised
        if not torch.isfinite(loss):
            raise BombError(f"the loss is not finite in step {step}")
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimiser.step()
        schedule.step()
        if report is not None:
            said = {"action": acted, "points": pointed, "maps": mapped, "words": read, "hand": practised}
            report(step, loss.item(), {name: round(value.item(), 4) for name, value in said.items()})
        last = step == recipe.steps
        if kept is not None and (last or (recipe.keep and step % recipe.keep == 0)):
            kept(step, teacher)
        if last or step % SAVE_EVERY == 0:  # after what is kept, which an interrupted run then makes again
            save_state(state, parts, step)
