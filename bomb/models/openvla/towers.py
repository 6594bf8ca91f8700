"""The two vision transformers of OpenVLA, under the names that its public weights use (those of timm).

DINOv2 has a class token, four registers and LayerScale; SigLIP has none of them, and an attention pool that
is in the files and is not used. Both use the exact GELU. What is read is the output of the block before the
last, without the final norm.
"""

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from bomb.models.settings import check_count
from core.errors import OptionError, check_choice

EPSILON = 1e-6  # of every norm


@dataclass(frozen=True, kw_only=True)
class TowerSizes:
    """Sizes of one tower.

    Attributes:
        width, depth, heads: of the transformer.
        mlp: width of the hidden layer of each block.
        registers: tokens beside the patches and the class token.
        class_token, layer_scale: whether there are any; of DINOv2.
        pool: whether the files hold an attention pool; of SigLIP.
        patch: side of a patch (pixels).
    """

    width: int
    depth: int
    heads: int
    mlp: int
    registers: int = 0
    class_token: bool = False
    layer_scale: bool = False
    pool: bool = False
    patch: int = 14

    def __post_init__(self) -> None:
        for name in ("width", "depth", "heads", "mlp", "patch"):
            check_count(name, getattr(self, name))
        if self.width % self.heads:
            raise OptionError(f"a tower's width must be a multiple of its heads, got {asdict(self)}")
        if self.depth < 2:
            raise OptionError(f"a tower needs two blocks: the one before the last is read, got {self.depth}")

    @property
    def prefix(self) -> int:
        """Tokens before the patches."""
        return int(self.class_token) + self.registers


# Public towers by their name in timm, as `timm_model_ids` of a configuration has it.
TOWERS = {
    "vit_large_patch14_reg4_dinov2.lvd142m": TowerSizes(
        width=1024, depth=24, heads=16, mlp=4096, registers=4, class_token=True, layer_scale=True
    ),
    "vit_so400m_patch14_siglip_224": TowerSizes(width=1152, depth=27, heads=16, mlp=4304, pool=True),
}


def tower_sizes(name: str) -> TowerSizes:
    """The sizes of a public tower.

    Raises:
        UnknownNameError: listing those that are known.
    """
    return TOWERS[check_choice("vision tower", name, TOWERS)]


class Mlp(nn.Module):
    """Two layers with the exact GELU between."""

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(functional.gelu(self.fc1(x)))


class Attention(nn.Module):
    """Self-attention with one projection for queries, keys and values."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        n, length, width = x.shape
        q, k, v = self.qkv(x).reshape(n, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v)
        return self.proj(mixed.transpose(1, 2).reshape(n, length, width))


class LayerScale(nn.Module):
    """One factor per channel. Public files call it ``scale_factor``."""

    def __init__(self, width: int):
        super().__init__()
        self.scale_factor = nn.Parameter(torch.full((width,), 1e-5))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale_factor


class Block(nn.Module):
    """Attention and MLP, each after a norm."""

    def __init__(self, sizes: TowerSizes):
        super().__init__()
        self.norm1 = nn.LayerNorm(sizes.width, eps=EPSILON)
        self.attn = Attention(sizes.width, sizes.heads)
        self.norm2 = nn.LayerNorm(sizes.width, eps=EPSILON)
        self.mlp = Mlp(sizes.width, sizes.mlp)
        self.ls1: nn.Module = LayerScale(sizes.width) if sizes.layer_scale else nn.Identity()
        self.ls2: nn.Module = LayerScale(sizes.width) if sizes.layer_scale else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class AttentionPool(nn.Module):
    """SigLIP's pool: in the files, and of no use here."""

    def __init__(self, sizes: TowerSizes):
        super().__init__()
        width = sizes.width
        self.latent = nn.Parameter(torch.zeros(1, 1, width))
        self.q, self.kv, self.proj = (
            nn.Linear(width, width),
            nn.Linear(width, 2 * width),
            nn.Linear(width, width),
        )
        self.norm, self.mlp = nn.LayerNorm(width, eps=EPSILON), Mlp(width, sizes.mlp)


class PatchEmbedding(nn.Module):
    """Patches to vectors, row by row."""

    def __init__(self, sizes: TowerSizes):
        super().__init__()
        self.proj = nn.Conv2d(3, sizes.width, sizes.patch, stride=sizes.patch)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.proj(pictures).flatten(2).transpose(1, 2)


class Tower(nn.Module):
    """One vision transformer.

    Args:
        sizes: of its parts.
        side: of the pictures (pixels).

    Raises:
        OptionError: if the patch does not divide the side.
    """

    def __init__(self, sizes: TowerSizes, side: int):
        super().__init__()
        if side % sizes.patch:
            raise OptionError(f"patches of {sizes.patch} pixels do not divide a picture of {side}")
        self.sizes, self.side = sizes, side
        if sizes.class_token:
            self.cls_token = nn.Parameter(torch.zeros(1, 1, sizes.width))
        if sizes.registers:
            self.reg_token = nn.Parameter(torch.zeros(1, sizes.registers, sizes.width))
        self.pos_embed = nn.Parameter(torch.zeros(1, (side // sizes.patch) ** 2, sizes.width))
        self.patch_embed = PatchEmbedding(sizes)
        self.blocks = nn.ModuleList(Block(sizes) for _ in range(sizes.depth))
        self.norm = nn.LayerNorm(sizes.width, eps=EPSILON)
        if sizes.pool:
            self.attn_pool = AttentionPool(sizes)

    def forward(self, pictures: Tensor, *context: Tensor) -> Tensor:
        """Patches, float[B, n, width], of pictures float[B, 3, side, side]: the block before the last.

        ``context`` is handed to every block; see ``bomb.models.oft.film``.
        """
        x = self.patch_embed(pictures) + self.pos_embed
        extra = [getattr(self, name) for name in ("cls_token", "reg_token") if hasattr(self, name)]
        x = torch.cat([token.expand(len(x), -1, -1) for token in extra] + [x], dim=1)
        for block in self.blocks[:-1]:
            x = block(x, *context)
        return x[:, self.sizes.prefix :]


def initialise(tower: Tower) -> None:
    """Random weights of a size at which pictures matter; torch's generator."""
    for name, weight in tower.named_parameters():
        if name.endswith(("cls_token", "reg_token", "pos_embed", "latent")):
            nn.init.normal_(weight, std=0.5)
        elif name.endswith("scale_factor"):
            nn.init.constant_(weight, 0.5)
