"""``config.json`` and ``preprocessor_config.json`` of OpenVLA, as far as they say something."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bomb.disk.files import FileError, read_json
from bomb.models.openvla.towers import TowerSizes, tower_sizes
from core.errors import BombError, OptionError, check_choice

STRATEGIES = ("resize-naive", "letterbox", "resize-crop")
DINO_MEAN, DINO_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIGLIP_MEAN = SIGLIP_STD = (0.5, 0.5, 0.5)


@dataclass(frozen=True, kw_only=True)
class PrismaticConfig:
    """What the network is made of.

    Attributes:
        towers: sizes of the vision towers, one or two.
        side: of the pictures (pixels).
        text: configuration of the language model, as transformers' ``LlamaConfig`` takes it.
        multiple: what the vocabulary was padded to a multiple of.
        bins: edges of the action bins.
        strategy: how pictures become square, out of ``STRATEGIES``.
        means, stds: per tower, of the colours of a picture from 0 to 1.
        statistics: ``norm_stats``, by dataset.
        raw: the whole file.
    """

    towers: tuple[TowerSizes, ...]
    side: int
    text: Mapping[str, Any]
    multiple: int = 64
    bins: int = 256
    strategy: str = "resize-naive"
    means: tuple[tuple[float, ...], ...] = (DINO_MEAN, SIGLIP_MEAN)
    stds: tuple[tuple[float, ...], ...] = (DINO_STD, SIGLIP_STD)
    statistics: Mapping[str, Any] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_choice("image_resize_strategy", self.strategy, STRATEGIES)
        if not 1 <= len(self.towers) <= 2 or not len(self.means) == len(self.stds) == len(self.towers):
            raise OptionError(
                f"one or two towers with a mean and a deviation each, got {len(self.towers)} towers, "
                f"{len(self.means)} means, {len(self.stds)} deviations"
            )
        patches = {self.side // tower.patch for tower in self.towers}
        if len(patches) != 1:
            raise OptionError(f"towers must cut a picture alike, got {sorted(patches)} patches a side")

    @property
    def vocabulary(self) -> int:
        """Ids that are no padding; action tokens are the last of them."""
        return int(self.text["vocab_size"]) - self.multiple

    @property
    def patches(self) -> int:
        """Patches along a side of a picture."""
        return self.side // self.towers[0].patch

    @classmethod
    def from_dict(
        cls, values: Mapping[str, Any], processor: Mapping[str, Any] | None = None
    ) -> "PrismaticConfig":
        """From the contents of the two files.

        Raises:
            OptionError, UnknownNameError: naming what is missing or wrong.
        """
        if values.get("model_type") != "openvla":
            raise OptionError(f"model_type must be 'openvla', is {values.get('model_type')!r}")
        needed = ("timm_model_ids", "image_sizes", "text_config", "pad_to_multiple_of")
        if missing := [name for name in needed if name not in values]:
            raise OptionError(f"the configuration lacks {', '.join(missing)}")
        if any(act not in (None, "gelu") for act in values.get("timm_override_act_layers") or ()):
            raise OptionError(f"towers use the exact GELU, got {values['timm_override_act_layers']}")
        sizes = values.get("bomb_towers")  # BOMB's own entry, for towers of other sizes than the public ones
        towers = (
            tuple(TowerSizes(**entry) for entry in sizes)
            if sizes
            else tuple(tower_sizes(name) for name in values["timm_model_ids"])
        )
        if len(set(values["image_sizes"])) != 1:
            raise OptionError(f"both towers must take pictures of one size, got {values['image_sizes']}")
        means = tuple(DINO_MEAN if tower.layer_scale else SIGLIP_MEAN for tower in towers)
        stds = tuple(DINO_STD if tower.layer_scale else SIGLIP_STD for tower in towers)
        processor = processor or {}
        if params := processor.get("tvf_normalize_params"):
            means, stds = (tuple(tuple(one[key]) for one in params) for key in ("mean", "std"))
        elif "means" in processor:
            means, stds = (tuple(map(tuple, processor[key])) for key in ("means", "stds"))
        return cls(
            towers=towers,
            side=values["image_sizes"][0],
            text=values["text_config"],
            multiple=values["pad_to_multiple_of"],
            bins=values.get("n_action_bins", 256),
            strategy=processor.get(
                "image_resize_strategy", values.get("image_resize_strategy", "resize-naive")
            ),
            means=means,
            stds=stds,
            statistics=values.get("norm_stats") or {},
            raw=values,
        )

    @classmethod
    def read(cls, folder: Path) -> "PrismaticConfig":
        """Reads ``config.json``, and ``preprocessor_config.json`` where there is one.

        Raises:
            FileError: naming the file and what is wrong with it.
        """
        folder = Path(folder)
        processor = folder / "preprocessor_config.json"
        values = read_json(folder / "config.json")
        try:
            return cls.from_dict(values, read_json(processor) if processor.is_file() else None)
        except (TypeError, KeyError, AttributeError) as error:
            raise FileError(f"{folder / 'config.json'} cannot be used: {error}") from error
        except BombError as error:
            raise FileError(f"{folder / 'config.json'}: {error}") from error


def published() -> PrismaticConfig:
    """openvla-7b: what its ``config.json`` says of sizes."""
    text = {
        "vocab_size": 32064,
        "hidden_size": 4096,
        "intermediate_size": 11008,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 32,
        "max_position_embeddings": 2048,
        "rms_norm_eps": 1e-6,
        "pad_token_id": 32000,
    }
    return PrismaticConfig.from_dict(config_values(text, tuple(TOWER_NAMES), side=224, multiple=64))


TOWER_NAMES = ("vit_large_patch14_reg4_dinov2.lvd142m", "vit_so400m_patch14_siglip_224")


def config_values(
    text: Mapping[str, Any], names: tuple[str, ...], *, side: int, multiple: int, **more: Any
) -> dict[str, Any]:
    """The contents of a ``config.json`` in OpenVLA's layout."""
    return {
        "model_type": "openvla",
        "architectures": ["OpenVLAForActionPrediction"],
        "arch_specifier": "no-align+fused-gelu-mlp",
        "vision_backbone_id": "dinosiglip-vit-so-224px",
        "llm_backbone_id": "llama2-7b-pure",
        "hf_llm_id": "meta-llama/Llama-2-7b-hf",
        "use_fused_vision_backbone": len(names) == 2,
        "timm_model_ids": list(names),
        "timm_override_act_layers": [None] * len(names),
        "image_sizes": [side] * len(names),
        "image_resize_strategy": "resize-naive",
        "llm_max_length": 2048,
        "pad_token_id": text["pad_token_id"],
        "pad_to_multiple_of": multiple,
        "n_action_bins": 256,
        "text_config": {"model_type": "llama", **text},
        **more,
    }
