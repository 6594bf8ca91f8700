"""What VLAs on a backbone have in common: where patches, layers and parts of it are."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Generic, TypeVar

from torch import nn

from bomb.models.backbones.base import Backbone
from bomb.models.vla import VLA, Anatomy, PictureGrid

Kind = TypeVar("Kind", bound=Backbone)


class AroundBackbone(nn.Module, Generic[Kind]):
    """A network that is a backbone and nothing else."""

    def __init__(self, backbone: Kind):
        super().__init__()
        self.backbone = backbone


class BackboneVLA(VLA):
    """A VLA with a backbone.

    Attributes:
        inside: where it is among the model's parameters.
    """

    inside: str = "network.backbone."

    @property
    @abstractmethod
    def backbone(self) -> Backbone:
        """The VLM."""

    @property
    def anatomy(self) -> Anatomy:
        rows, cols = self.backbone.cells
        grids = {camera: PictureGrid(rows=rows, cols=cols) for camera in self.settings.cameras}
        return Anatomy(layers=self.backbone.layers, grids=grids)

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        return {
            name: tuple(self.inside + prefix for prefix in prefixes)
            for name, prefixes in self.backbone.parts.items()
        }
