"""The inside of a model, as far as explaining it needs to know: layers, heads, patches."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from core.errors import check_choice


@dataclass(frozen=True, kw_only=True)
class PictureGrid:
    """How a camera's picture is cut into patches.

    Attributes:
        rows, cols: how many.
        box: (top, left, bottom, right) of what the model sees of the picture, as shares of its sides.
    """

    rows: int
    cols: int
    box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """A layer of a transformer, and where its heads lie side by side.

    Attributes:
        stream: ``vision``, ``language``, ``expert``, ...: layers of one stream follow one another.
        index: from the input on.
        module: the whole layer.
        attention: its attention; what it adds to the stream.
        output_projection: takes the heads side by side, ``heads * head_dim`` wide.
        mlp: its other contribution.
        heads, head_dim: of the queries.
    """

    stream: str
    index: int
    module: torch.nn.Module
    attention: torch.nn.Module
    output_projection: torch.nn.Module
    mlp: torch.nn.Module
    heads: int
    head_dim: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Anatomy:
    """The inside of a model, as far as explaining it needs to know.

    Attributes:
        layers: of all streams.
        grids: by camera.
    """

    layers: tuple[Layer, ...]
    grids: Mapping[str, PictureGrid]

    def stream(self, name: str) -> tuple[Layer, ...]:
        """The layers of one stream, from the input on.

        Raises:
            UnknownNameError: listing the streams.
        """
        check_choice("stream", name, sorted({layer.stream for layer in self.layers}))
        return tuple(layer for layer in self.layers if layer.stream == name)
