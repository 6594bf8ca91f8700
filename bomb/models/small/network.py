"""The network of ``small``: two eyes, a reader, what is believed, a hand; one function with a gradient."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from bomb.models.keypoint.format import CAMERAS, LINES, PITCH, scaled
from bomb.models.keypoint.state import CLOSED_FOR, SHUT, WIDE
from bomb.models.small.belief import Belief, Sight
from bomb.models.small.eye import SmallEye, normalised
from bomb.models.small.geometry import cells_on_table, plane_of
from bomb.models.small.hand import SmallHand, features
from bomb.models.small.memory import HALF, EpisodeMemory
from bomb.models.small.reading import SmallReader

UNKNOWN = 0.05  # m: the error of what nothing is known about


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Widths of the network; see its parts.

    Attributes:
        eye: fine, middle, wide, laid, hidden.
        words: embedded, context, head_dim.
        hand: of the hidden layers.
    """

    eye: tuple[int, int, int, int, int] = (40, 64, 80, 8, 128)
    words: tuple[int, int, int] = (24, 40, 16)
    hand: int = 224


@dataclass(frozen=True, kw_only=True, eq=False)
class Question:
    """N moments.

    Attributes:
        pictures: uint8[N, cameras, 3, H, W].
        shown: float[N, cameras, SIDE, SIDE], 0 for a patch that is hidden.
        states: float[N, 4], proprioception.
        memory: before the look.
        tokens, there: int64[N, T] and bool[N, T].
    """

    pictures: Tensor
    shown: Tensor
    states: Tensor
    memory: EpisodeMemory
    tokens: Tensor
    there: Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class SmallOutput:
    """What the network says.

    Attributes:
        targets: float[N, chunk, 3], commanded targets in R (m).
        openings: float[N, chunk], logits.
        memory: after the look.
        stone, goal: float[N, 2], where they are believed to be (m).
        errors: float[N, 2], standard deviations of both (m).
        slots: logits of colour, row and column.
        maps: by camera what its eye said.
    """

    targets: Tensor
    openings: Tensor
    memory: EpisodeMemory
    stone: Tensor
    goal: Tensor
    errors: Tensor
    slots: tuple[Tensor, Tensor, Tensor]
    maps: dict[str, tuple[Tensor, ...]]


class SmallNetwork(nn.Module):
    """All of it.

    Args:
        sizes: widths.
        vocabulary: tokens that are known.
        chunk: way points at once.
        heights: where the hand's heights start (m).
    """

    def __init__(self, sizes: Sizes, vocabulary: int, chunk: int, heights: list[float]):
        super().__init__()
        self.eyes = nn.ModuleDict({camera: SmallEye(camera, sizes.eye) for camera in CAMERAS})
        self.reader = SmallReader(vocabulary, *sizes.words)
        self.belief = Belief()
        self.hand = SmallHand(heights, chunk, sizes.hand)

    def forward(self, question: Question) -> SmallOutput:
        """What is done about a question, and what is remembered."""
        slots = self.reader(question.tokens, question.there)
        colors, rows, columns = (logits.softmax(1) for logits in slots)
        along = torch.arange(LINES, dtype=rows.dtype, device=rows.device) - (LINES - 1) / 2
        told = PITCH * torch.stack([(columns * along).sum(1), -(rows * along).sum(1)], 1)
        memory = self.felt(question.memory, question.states)
        tool, free = question.states[:, :3], 1 - memory.holds
        sights, maps = {}, {}
        size = torch.from_numpy(scaled(question.states.detach().cpu().numpy())).to(tool)
        for k, camera in enumerate(CAMERAS):
            seen = normalised(question.pictures[:, k])
            said = self.eyes[camera](seen, size, question.shown[:, k])
            before = getattr(memory, camera)
            places = before + (said[2].flatten(1) - before) / (memory.looks + 1)
            memory = replace(memory, **{camera: places})
            plane = plane_of(places.unflatten(1, (-1, 2)), camera, tool)
            cells = cells_on_table(plane, said[1])
            sights[camera] = Sight(heat=said[0].sigmoid().flatten(2), places=cells)
            maps[camera] = said
        belief = self.belief
        memory = belief.board_from_head(memory, sights["head"])
        memory = belief.stone_from_head(memory, sights["head"], colors, tool, free)
        memory = belief.board_from_wrist(memory, sights["wrist"], tool)
        memory = belief.stone_from_wrist(memory, sights["wrist"], colors, tool, free)
        memory = replace(memory, looks=memory.looks + 1)
        goal, of_goal = belief.goal(memory, told)
        known = torch.cat([memory.stone_known, of_goal], 1)
        errors = (0.01 / torch.sqrt(known + 1e-6)).clamp(max=UNKNOWN)
        targets, openings = self.move(memory, question.states, memory.stone, goal, errors)
        return SmallOutput(
            targets=targets, openings=openings, memory=memory, stone=memory.stone, goal=goal,
            errors=errors, slots=slots, maps=maps,
        )  # fmt: skip

    @staticmethod
    def felt(memory: EpisodeMemory, states: Tensor) -> EpisodeMemory:
        """What the opening says about what is in the hand; see ``bomb.models.keypoint.state``."""
        opening, closed = states[:, 3:], memory.commanded[:, 3:] < HALF
        settled = closed & (memory.since >= CLOSED_FOR)
        grips = (opening > SHUT) & (opening < WIDE)
        holds = torch.where(settled, grips, (memory.holds > 0) & closed)
        released = ((memory.released > 0) | (~closed & (memory.holds > 0))) & ~(settled & grips)
        return replace(memory, holds=holds.to(states.dtype), released=released.to(states.dtype))

    @staticmethod
    def flags(memory: EpisodeMemory, states: Tensor) -> Tensor:
        """float[N, 4] as the hand takes them."""
        shut = (states[:, 3:] <= SHUT) & (memory.commanded[:, 3:] < HALF) & (memory.since >= CLOSED_FOR)
        return torch.cat([memory.since, memory.holds, memory.released, shut.to(states.dtype)], 1)

    def move(
        self, memory: EpisodeMemory, states: Tensor, stone: Tensor, goal: Tensor, errors: Tensor
    ) -> tuple[Tensor, Tensor]:
        """What the hand does about a stone and a goal; see ``SmallHand``."""
        commanded = memory.commanded
        x = features(commanded, states, self.flags(memory, states), stone, goal, errors)
        targets, openings = self.hand(x, commanded[:, :3], stone, goal)
        return targets, openings
