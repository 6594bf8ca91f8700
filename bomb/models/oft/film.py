"""FiLM: the instruction scales and shifts what every block of the vision towers makes of a picture.

x + attention, times (1 + gamma) plus beta, then the MLP; gamma and beta are linear in the mean of the
embedded words and the same for all patches. Names of parameters are those of public ``vision_backbone--*.pt``
files.
"""

from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn

from bomb.models.openvla.network import Prismatic
from bomb.models.openvla.towers import Attention, Block, Mlp


class FiLMBlock(nn.Module):
    """A block of a tower that is told something.

    Args:
        block: with its weights.
        told: width of what it is told.
    """

    def __init__(self, block: Block, told: int):
        super().__init__()
        width = block.norm1.weight.numel()
        self.block = block
        self.scale, self.shift = nn.Linear(told, width), nn.Linear(told, width)

    @property
    def attn(self) -> Attention:
        """The block's attention."""
        return self.block.attn

    @property
    def mlp(self) -> Mlp:
        """The block's MLP."""
        return self.block.mlp

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        """float[B, n, width] of float[B, n, width], told float[B, d]."""
        block = self.block
        x = x + block.ls1(block.attn(block.norm1(x)))
        x = x * (1 + self.scale(told)[:, None]) + self.shift(told)[:, None]
        return x + block.ls2(block.mlp(block.norm2(x)))


def add_film(network: Prismatic) -> None:
    """Puts FiLM into every block, in place; what is new starts at random (torch's generator)."""
    told = network.language_model.config.hidden_size
    for tower in network.vision_backbone.towers:
        blocks: Iterable[Any] = tower.blocks
        tower.blocks = nn.ModuleList(FiLMBlock(block, told) for block in blocks)


def without_film(key: str) -> str | None:
    """The name of a parameter in a network without FiLM; None for one that it has not."""
    if ".scale." in key or ".shift." in key:
        return None
    return key.replace(".block.", ".")


def mean_of_words(words: Tensor, slots: Tensor, mask: Tensor) -> Tensor:
    """float[B, d]: the mean of the embedded words that are looked at.

    Args:
        words: float[B, T, d].
        slots, mask: of a batch; see ``bomb.models.sequences``.
    """
    spoken = (slots < words.shape[1]) & mask
    picked = words.gather(1, slots.clamp(max=words.shape[1] - 1)[..., None].expand(-1, -1, words.shape[-1]))
    counted = spoken[..., None].to(words.dtype)
    return (picked * counted).sum(1) / counted.sum(1).clamp(min=1)
