"""Auxiliary objectives, read from the hidden states of a layer by the anatomy of a model.

Four: coordinates as a class (``cell``) and as a place in the picture (``pixel``), board
against language (``contrast``, InfoNCE of arXiv 1807.03748), and the state of the board (``occupancy``). They
need nothing of a family but its contract, so every family has them.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from bomb.models.vla import VLA, Batch, Layout, PictureGrid
from bomb.training.auxiliary_recipe import AuxiliaryRecipe
from core.errors import OptionError, check_choice

Learned = tuple[Tensor | None, float]  # a loss, None where nothing could be learned, and the share right
STREAM = "language"
STATES = 3  # of an intersection: empty, black, white
FILE = "auxiliary.safetensors"


class Auxiliary(nn.Module):
    """The heads of the objectives.

    Args:
        vla: whose hidden states are read.
        recipe: which objectives.

    Raises:
        UnknownNameError: if the family has no stream ``language``.
        OptionError: for a layer that it does not have.
    """

    def __init__(self, vla: VLA, recipe: AuxiliaryRecipe):
        super().__init__()
        anatomy = vla.anatomy
        check_choice("stream", STREAM, sorted({layer.stream for layer in anatomy.layers}))
        layers = anatomy.stream(STREAM)
        if not -len(layers) <= recipe.layer < len(layers):
            raise OptionError(f"auxiliary.layer must be below {len(layers)}, got {recipe.layer}")
        layer = layers[recipe.layer]
        projection: Any = layer.output_projection
        wide = int(projection.out_features)
        self._recipe, self._grids = recipe, dict(anatomy.grids)
        self._cameras, self._size = vla.settings.cameras, vla.settings.image_size
        self._read = (layer.module,)  # in a tuple: the layer stays the model's
        width, cells = recipe.width, recipe.lines**2
        wanted = recipe.wanted
        if "cell" in wanted:
            self.cell = nn.Linear(wide, cells)
        if "pixel" in wanted:
            self.point, self.place = nn.Linear(wide, width), nn.Linear(wide, width)
        if "contrast" in wanted:
            self.said, self.seen = nn.Linear(wide, width), nn.Linear(wide, width)
        if "occupancy" in wanted:
            self.queries = nn.Parameter(torch.randn(cells, width) / width**0.5)
            self.keys, self.values = nn.Linear(wide, width), nn.Linear(wide, width)
            self.state = nn.Linear(width, STATES)

    @property
    def opposes(self) -> bool:
        """Whether exchanged sentences are asked, too."""
        return "contrast" in self._recipe.wanted

    @contextmanager
    def reading(self) -> Iterator[list[Tensor]]:
        """Inside, the hidden states of the layer are kept: float[B, L, D] per run of the model."""
        found: list[Tensor] = []

        def keep(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            found.append(output[0] if isinstance(output, tuple) else output)

        handle = self._read[0].register_forward_hook(keep)
        try:
            yield found
        finally:
            handle.remove()

    def forward(
        self,
        hidden: Tensor,
        batch: Batch,
        labels: Mapping[str, np.ndarray],
        opposed: tuple[Tensor, Batch, Sequence[int]] | None = None,
    ) -> tuple[Tensor, dict[str, float]]:
        """The weighed sum of the objectives, and numbers to be logged.

        Args:
            hidden: of ``reading``, of the batch.
            batch: that was asked.
            labels: of ``bomb.training.data.TrainingSamples``.
            opposed: for ``contrast``: hidden states, the batch of exchanged sentences, and the sample that
                each belongs to.

        Returns:
            A scalar with a gradient, and by objective its loss (``aux_NAME``) and the share that it got right
            (``aux_NAME_right``); not a number where nothing in the batch could be learned from.
        """
        hidden = hidden.float()
        words, total, told = spoken(hidden, batch.layouts), hidden.sum() * 0.0, {}
        for name, weight in self._recipe.wanted.items():
            if name == "contrast":
                loss, right = self._contrast(hidden, words, batch, labels, opposed)
            else:
                loss, right = getattr(self, f"_{name}")(hidden, words, batch, labels)
            if loss is not None:
                total = total + weight * loss
            told[f"aux_{name}"] = float("nan") if loss is None else float(loss.detach())
            told[f"aux_{name}_right"] = right
        return total, told

    def _cell(self, hidden: Tensor, words: Tensor, batch: Batch, labels: Mapping[str, np.ndarray]) -> Learned:
        cells = labels["cells"]
        known = torch.as_tensor(np.flatnonzero((cells >= 0).all(1)), device=hidden.device)
        goal = torch.as_tensor(cells[:, 0] * self._recipe.lines + cells[:, 1], device=hidden.device)
        return classified(self.cell(words[known]), goal[known])

    def _pixel(
        self, hidden: Tensor, words: Tensor, batch: Batch, labels: Mapping[str, np.ndarray]
    ) -> Learned:
        scores, goals = [], []
        for k, camera, patch in self._in_view(labels):
            places = hidden[k, torch.as_tensor(batch.layouts[k].pictures[camera].ravel())]
            scores.append(self.place(places) @ self.point(words[k]) / self._recipe.width**0.5)
            goals.append(patch)
        if not goals:
            return None, float("nan")
        # Cameras may have different numbers of patches, so one at a time.
        pairs = [(s[None], torch.tensor([g], device=s.device)) for s, g in zip(scores, goals, strict=True)]
        loss = torch.stack([functional.cross_entropy(s, g) for s, g in pairs]).mean()
        return loss, float(np.mean([int(s.argmax()) == int(g) for s, g in pairs]))

    def _occupancy(
        self, hidden: Tensor, words: Tensor, batch: Batch, labels: Mapping[str, np.ndarray]
    ) -> Learned:
        patches = torch.stack(
            [
                hidden[
                    k, torch.as_tensor(np.concatenate([layout.pictures[c].ravel() for c in self._cameras]))
                ]
                for k, layout in enumerate(batch.layouts)
            ]
        )
        scores = self.queries @ self.keys(patches).transpose(1, 2) / self._recipe.width**0.5
        read = self.state(scores.softmax(-1) @ self.values(patches))
        goal = torch.as_tensor(labels["occupancy"].astype(np.int64), device=hidden.device)
        return classified(read.flatten(0, 1), goal.flatten())

    def _contrast(
        self,
        hidden: Tensor,
        words: Tensor,
        batch: Batch,
        labels: Mapping[str, np.ndarray],
        opposed: tuple[Tensor, Batch, Sequence[int]] | None,
    ) -> Learned:
        # The first camera that sees a sample's target.
        found: dict[int, Tensor] = {}
        for k, camera, patch in self._in_view(labels):
            if k not in found:
                found[k] = hidden[k, int(batch.layouts[k].pictures[camera].ravel()[patch])]
        rows = sorted(found)
        if not rows:
            return None, float("nan")
        seen = functional.normalize(self.seen(torch.stack([found[k] for k in rows])), dim=-1)
        said = functional.normalize(self.said(words[rows]), dim=-1)
        scores = seen @ said.T / self._recipe.temperature
        # The same intersection of another picture is no negative.
        cells = labels["cells"][rows]
        there = np.all(cells >= 0, axis=-1, keepdims=True)
        same = np.all(cells[:, None] == cells[None], axis=-1) & there
        np.fill_diagonal(same, False)
        hidden_pairs = torch.as_tensor(same, device=scores.device)
        scores = scores.masked_fill(hidden_pairs, float("-inf"))
        of_words = scores
        if opposed is not None:
            other_hidden, other_batch, whose = opposed
            other = functional.normalize(self.said(spoken(other_hidden.float(), other_batch.layouts)), dim=-1)
            against = torch.full((len(rows), len(whose)), float("-inf"), device=scores.device)
            for column, k in enumerate(whose):
                if k in found:
                    row = rows.index(k)
                    against[row, column] = (seen[row] @ other[column]) / self._recipe.temperature
            of_words = torch.cat([scores, against], 1)
        goal = torch.arange(len(rows), device=scores.device)
        loss = functional.cross_entropy(of_words, goal) + functional.cross_entropy(scores.T, goal)
        return loss / 2, right_share(of_words, goal)

    def _in_view(self, labels: Mapping[str, np.ndarray]) -> Iterator[tuple[int, str, int]]:
        """Each sample and camera that sees the target, with the number of the patch that it lies in."""
        for k, seen in enumerate(labels["targets"]):
            for camera, (u, v, there) in zip(self._cameras, seen, strict=True):
                patch = patch_of(u, v, self._grids[camera], self._size) if there else None
                if patch is not None:
                    yield k, camera, patch


def spoken(hidden: Tensor, layouts: Sequence[Layout]) -> Tensor:
    """The hidden state at the last word of each instruction, float[B, D]: in a causal model it knows all."""
    last = [int(np.flatnonzero(layout.characters[:, 0] >= 0)[-1]) for layout in layouts]
    return hidden[torch.arange(len(layouts)), torch.as_tensor(last)]


def patch_of(u: float, v: float, grid: PictureGrid, size: tuple[int, int]) -> int | None:
    """The patch that a pixel of a picture lies in, row by row; None outside of what the model sees.

    Args:
        u, v: column and row in pixels.
        grid: of the camera.
        size: (height, width) of the picture.
    """
    top, left, bottom, right = grid.box
    down = (v / size[0] - top) / (bottom - top)
    along = (u / size[1] - left) / (right - left)
    if not (0 <= down < 1 and 0 <= along < 1):
        return None
    return int(down * grid.rows) * grid.cols + int(along * grid.cols)


def classified(scores: Tensor, goal: Tensor) -> tuple[Tensor | None, float]:
    """Cross-entropy of float[N, classes] and the share that is right; nothing for N = 0."""
    if not len(goal):
        return None, float("nan")
    return functional.cross_entropy(scores, goal), right_share(scores, goal)


def right_share(scores: Tensor, goal: Tensor) -> float:
    """How often the greatest of float[N, classes] is the right one, for N > 0."""
    return float((scores.argmax(-1) == goal).float().mean())


def tensors_bytes(module: nn.Module) -> bytes:
    """The weights of a module as a safetensors file.

    Where processes share them out, every one has to call this.
    """
    from safetensors.torch import save
    from torch.distributed.tensor import DTensor

    found = {name: weight.detach() for name, weight in module.state_dict().items()}
    whole = {name: w.full_tensor() if isinstance(w, DTensor) else w for name, w in found.items()}
    data: bytes = save({name: weight.cpu().contiguous() for name, weight in whole.items()})
    return data
