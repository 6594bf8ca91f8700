"""How a look changes what is believed of the scene: attention over cells around what was believed before.

Every cell of a map says where it points to in metres. What is looked for - a corner, an intersection, the
stone of the colour that was said - is the mean of cells by their heat, near where it is expected. So all of
it has a gradient, down to the eyes; the only choice is which of several stones is meant.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from bomb.models.keypoint.format import CORNERS, LINES, PITCH, intersections
from bomb.models.small.geometry import in_board, on_board, rigid
from bomb.models.small.memory import EpisodeMemory

INTERSECTION, FIRST_CORNER = 2, 3  # indices of maps
KEPT = 2.8  # times the information of one look: the error of the next is nearly the same
REACH, STONE_REACH, HIGHEST = 0.075, 0.055, 0.17  # m: what the wrist camera is asked about
OVER = 0.030  # m
EDGE = (LINES - 1) / 2 * PITCH + 0.012  # m: a stone farther out than this lies on the table
LEAST = 0.08  # of the information of a look
FORGOTTEN = 0.6  # of the information, for each look from near that shows no stone


@dataclass(frozen=True, kw_only=True, eq=False)
class Sight:
    """One camera's look at N scenes.

    Attributes:
        heat: float[N, maps, cells], 0 to 1.
        places: float[N, maps, cells, 2], where cells point to in R (m).
    """

    heat: Tensor
    places: Tensor


def attended(heat: Tensor, places: Tensor, centers: Tensor, spread: Tensor) -> tuple[Tensor, Tensor]:
    """Means of cells around centers, float[N, K, 2], and the greatest heat there, float[N, K].

    Args:
        heat: float[N, cells].
        places: float[N, cells, 2] (m).
        centers: float[N, K, 2] (m).
        spread: float[N, K], standard deviations of the window (m).
    """
    away = ((places[:, None] - centers[:, :, None]) ** 2).sum(3)
    weights = heat[:, None] * torch.exp(-0.5 * away / spread[..., None] ** 2)
    total = weights.sum(2)
    # Sharper than the heat: a cell that is only a little warm says little.
    weights = weights**2
    share = weights / (weights.sum(2, keepdim=True) + 1e-10)
    found = (share[..., None] * places[:, None]).sum(2)
    there = total > 1e-5
    mass = (heat[:, None] * torch.exp(-0.5 * away / spread[..., None] ** 2)).amax(2)
    return torch.where(there[..., None], found, centers), mass * there


class Belief(nn.Module):
    """The rules, and what is learned of them: how much each camera says, and how far it searches."""

    grid: Tensor

    def __init__(self) -> None:
        super().__init__()
        # Logarithms: of standard deviations (m) of the head camera, of the wrist camera and of it
        # per metre of
        # height, and of the windows of attention (m).
        start = (0.009, 0.0012, 0.02, 0.010, 0.010, 0.012)
        self.widths = nn.Parameter(torch.log(torch.tensor(start)))
        self.register_buffer("grid", torch.from_numpy(intersections()).float(), persistent=False)

    def information(self, height: Tensor | None = None) -> Tensor:
        """Of a look (1 / cm^2): of the head camera, or of the wrist camera at a height float[N, 1] (m)."""
        sigma = self.widths.exp()
        if height is None:
            return 1e-4 / sigma[0] ** 2
        return 1e-4 / (sigma[1] + sigma[2] * height.clamp(min=0)) ** 2

    def board_from_head(self, memory: EpisodeMemory, sight: Sight) -> EpisodeMemory:
        """The board by its corners, then by all intersections; the mean over looks."""
        window = self.widths.exp()[3]
        grid = self.grid.expand(len(sight.heat), -1, -1)
        corners, sure = [], []
        for k in range(4):
            heat, places = sight.heat[:, FIRST_CORNER + k], sight.places[:, FIRST_CORNER + k]
            first = places[torch.arange(len(heat)), heat.argmax(1)][:, None].detach()
            found, mass = attended(heat, places, first, window.expand(len(heat), 1))
            corners.append(found)
            sure.append(mass)
        seen, heats = torch.cat(corners, 1), torch.cat(sure, 1)
        pose = rigid(grid[:, list(CORNERS)], seen, heats**2 + 1e-6)
        nodes = on_board(pose, grid)
        for _ in range(2):
            spread = window.expand(nodes.shape[:2])
            found, mass = attended(sight.heat[:, INTERSECTION], sight.places[:, INTERSECTION], nodes, spread)
            places = torch.cat([found, nodes[:, list(CORNERS)]], 1)
            weights = torch.cat([mass**2, torch.full_like(heats, 0.1)], 1)
            pose = rigid(torch.cat([grid, grid[:, list(CORNERS)]], 1), places, weights)
            nodes = on_board(pose, grid)
        good = heats.topk(2, dim=1).values[:, 1:].clamp(max=1)  # two corners at least
        share = good / (memory.heads + good).clamp(min=1e-6)
        mean = torch.lerp(memory.board_head, pose, share)
        turn = mean[:, :2] / mean[:, :2].norm(dim=1, keepdim=True).clamp(min=1e-6)
        mean = torch.cat([turn, mean[:, 2:]], 1)
        board = torch.where(memory.heads > 0, memory.board, mean)
        return self._fitted(replace(memory, board_head=mean, board=board, heads=memory.heads + good), None)

    def board_from_wrist(self, memory: EpisodeMemory, sight: Sight, tool: Tensor) -> EpisodeMemory:
        """Intersections near the tool, each taken for the one that is expected there; then once more."""
        for _ in range(2):
            fitted = self._fitted(memory, (sight, tool))
            memory = replace(memory, board=fitted.board)
        return fitted

    def _fitted(self, memory: EpisodeMemory, looked: tuple[Sight, Tensor] | None) -> EpisodeMemory:
        grid = self.grid.expand(len(memory.board), -1, -1)
        corners = grid[:, list(CORNERS)]
        nodes = on_board(memory.board, grid)
        head = (0.5 * self.information()).expand(len(grid), 4)
        of, at, weights = [corners, grid], [on_board(memory.board_head, corners), nodes], [head, memory.nodes]
        information = memory.nodes
        if looked is not None:
            sight, tool = looked
            spread = torch.sqrt(self.widths.exp()[4] ** 2 + 1e-4 / (1.5 + memory.nodes))
            near = _near(sight.places[:, INTERSECTION], tool, REACH)
            found, mass = attended(
                sight.heat[:, INTERSECTION] * near, sight.places[:, INTERSECTION], nodes, spread
            )
            said = self.information(tool[:, 2:]) * mass**2
            of, at, weights = [*of, grid], [*at, found], [*weights, said]
            # A look from near counts a little even where nothing is seen, or the hand would wait for ever.
            under = torch.sigmoid((OVER - (nodes - tool[:, None, :2]).norm(dim=2)) / 0.003)
            least = LEAST * under * (tool[:, 2:] < HIGHEST)
            most = KEPT * self.information(tool[:, 2:])
            information = memory.nodes + torch.maximum(said, least * self.information(tool[:, 2:]))
            information = torch.minimum(information, torch.maximum(memory.nodes, most))
        board = rigid(torch.cat(of, 1), torch.cat(at, 1), torch.cat(weights, 1))
        return replace(memory, board=board, nodes=information)

    def goal(self, memory: EpisodeMemory, told: Tensor) -> tuple[Tensor, Tensor]:
        """Where the intersection is that was said, float[N, 2] (m), and the information on it, float[N, 1].

        Args:
            memory: what is believed.
            told: float[N, 2], x_B and y_B (m).
        """
        place = on_board(memory.board, told[:, None])[:, 0]
        beside = (self.grid[None] - told[:, None]).norm(dim=2) / PITCH
        near = (memory.nodes / (1 + 0.7 * beside) ** 2).amax(1, keepdim=True)
        return place, self.information() * (memory.heads > 0) + near

    def stone_from_head(
        self, memory: EpisodeMemory, sight: Sight, colors: Tensor, tool: Tensor, free: Tensor
    ) -> EpisodeMemory:
        """The stone that is gone for, found or followed.

        Args:
            memory: what is believed.
            sight: of the head camera.
            colors: float[N, 2], how likely black and white were said.
            tool: float[N, 3] in R (m).
            free: float[N, 1], 1 where no stone is in the hand.
        """
        heat, places = _of_color(sight, colors)
        off = (in_board(memory.board, places).abs().amax(2) - EDGE) / 0.003
        open_ = heat * torch.sigmoid(off)
        warm = open_ > 0.5 * open_.amax(1, keepdim=True)
        away = (places - tool[:, None, :2]).norm(dim=2)
        choice = (away - 0.02 * open_ + 10.0 * ~warm).argmin(1)
        first = places[torch.arange(len(heat)), choice].detach()
        known = memory.stone_known > 0
        center = torch.where(known, memory.stone, first)
        spread = (self.widths.exp()[5] * (1.0 + 0.5 * (known & (memory.stone_known < 3)))).expand(
            len(heat), 1
        )
        found, mass = attended(heat, places, center[:, None], spread)
        mass = mass * free * (memory.heads > 0)
        return _moved(memory, found[:, 0], self.information() * mass, KEPT * self.information())

    def stone_from_wrist(
        self, memory: EpisodeMemory, sight: Sight, colors: Tensor, tool: Tensor, free: Tensor
    ) -> EpisodeMemory:
        """The stone seen from near; one that is not seen is forgotten."""
        heat, places = _of_color(sight, colors)
        heat = heat * _near(places, tool, STONE_REACH)
        spread = torch.sqrt(self.widths.exp()[4] ** 2 + 1e-4 / (1.5 + memory.stone_known))
        found, mass = attended(heat, places, memory.stone[:, None], spread)
        known = (memory.stone_known > 0).to(heat.dtype)
        said = self.information(tool[:, 2:]) * mass**2 * free * known
        moved = _moved(memory, found[:, 0], said, KEPT * self.information(tool[:, 2:]))
        beside = (memory.stone - tool[:, :2]).norm(dim=1, keepdim=True)
        missed = (beside < OVER) & (mass < 0.2) & (tool[:, 2:] < HIGHEST) & (free > 0)
        left = torch.where(missed, FORGOTTEN * moved.stone_known, moved.stone_known)
        left = torch.where(left < 0.2 * self.information(), torch.zeros_like(left), left)
        return replace(moved, stone_known=left)


def _near(places: Tensor, tool: Tensor, reach: float) -> Tensor:
    """float[N, cells], 1 near the tool and while it is low, falling off to 0."""
    away = (places - tool[:, None, :2]).norm(dim=2)
    return torch.sigmoid((reach - away) / 0.004) * torch.sigmoid((HIGHEST - tool[:, 2:]) / 0.004)


def _of_color(sight: Sight, colors: Tensor) -> tuple[Tensor, Tensor]:
    """Cells of both colours, their heat by how likely the colour was said."""
    heat = sight.heat[:, :2] * colors[..., None]
    return heat.flatten(1), sight.places[:, :2].flatten(1, 2)


def _moved(memory: EpisodeMemory, found: Tensor, said: Tensor, most: Tensor) -> EpisodeMemory:
    """The stone after a look with so much information, as a Kalman filter has it; at most ``most``."""
    before = memory.stone_known
    share = said / (before + said).clamp(min=1e-6)
    known = torch.minimum(before + said, torch.maximum(before, most * (said > 0)))
    return replace(memory, stone=torch.lerp(memory.stone, found, share), stone_known=known)
