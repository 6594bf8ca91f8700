"""``config.json`` and ``processor_config.json`` of SpatialVLA, as far as they say something."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bomb.disk.files import FileError, read_json
from bomb.models.codecs.spatial import ROTATION, TRANSLATION, SpatialGrid
from bomb.models.settings import check_count
from core.errors import BombError, OptionError

NEEDED = (
    "vision_config",
    "text_config",
    "action_token_begin_idx",
    "spatial_token_num",
    "ego3d_patch_reso",
    "n_freqs",
)
PROCESSOR = "processor_config.json"
KINDS = {"translation": TRANSLATION, "rotation": ROTATION}


@dataclass(frozen=True, kw_only=True)
class SpatialVLAConfig:
    """What the network is made of.

    Attributes:
        vision, text, zoe: configurations of SigLIP, Gemma 2 and ZoeDepth, as transformers has them; ``zoe``
            may be None where depth is always given.
        begin: id of the first action token.
        tokens: how many there are.
        reso, frequencies: of the Ego3D positions.
        spatial: whether action tokens have embeddings of their own.
        raw: the whole file.
    """

    vision: Mapping[str, Any]
    text: Mapping[str, Any]
    zoe: Mapping[str, Any] | None
    begin: int
    tokens: int
    reso: int
    frequencies: int
    spatial: bool = True
    raw: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("begin", "tokens", "reso", "frequencies"):
            check_count(name, getattr(self, name))
        if self.begin + self.tokens > self.text["vocab_size"]:
            raise OptionError(
                f"{self.tokens} action tokens from {self.begin} on do not fit into a vocabulary of "
                f"{self.text['vocab_size']}"
            )
        if self.vision["image_size"] % self.vision["patch_size"]:
            raise OptionError(f"patches of {self.vision['patch_size']} do not divide {self.side} pixels")

    @property
    def side(self) -> int:
        """Of the pictures (pixels)."""
        return int(self.vision["image_size"])

    @property
    def patches(self) -> int:
        """Along a side of a picture."""
        return self.side // int(self.vision["patch_size"])

    @property
    def stop(self) -> int:
        """Id of the end of the sequence."""
        return int(self.text.get("eos_token_id", 1))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "SpatialVLAConfig":
        """From the contents of ``config.json``.

        Raises:
            OptionError: naming what is missing or wrong.
        """
        if values.get("model_type") != "spatialvla":
            raise OptionError(f"model_type must be 'spatialvla', is {values.get('model_type')!r}")
        if missing := [name for name in NEEDED if name not in values]:
            raise OptionError(f"the configuration lacks {', '.join(missing)}")
        zoe = values.get("vision_zoe_config") if values.get("use_vision_zoe", True) else None
        return cls(
            vision=values["vision_config"],
            text=values["text_config"],
            zoe=zoe,
            begin=values["action_token_begin_idx"],
            tokens=values["spatial_token_num"],
            reso=values["ego3d_patch_reso"],
            frequencies=values["n_freqs"],
            spatial=values.get("use_spatial_token", True),
            raw=values,
        )

    @classmethod
    def read(cls, folder: Path) -> "SpatialVLAConfig":
        """Reads ``config.json``.

        Raises:
            FileError: naming the file and what is wrong with it.
        """
        file = Path(folder) / "config.json"
        values = read_json(file)
        try:
            return cls.from_dict(values)
        except (TypeError, KeyError, AttributeError, BombError) as error:
            raise FileError(f"{file} cannot be used: {error}") from error


def read_grid(values: Mapping[str, Any], source: str) -> SpatialGrid:
    """The grid of a ``processor_config.json``.

    Raises:
        FileError: naming ``source`` and what is wrong.
    """
    try:
        policy = values["bin_policy"]
        edges = {axis: policy[kind][f"{axis}_bins"] for kind, axes in KINDS.items() for axis in axes}
        return SpatialGrid(edges=edges)
    except (KeyError, TypeError, ValueError, BombError) as error:
        raise FileError(f"{source} has no usable bin_policy: {type(error).__name__}: {error}") from error


def grid_values(grid: SpatialGrid) -> dict[str, Any]:
    """``bin_policy`` and ``action_config`` of a ``processor_config.json``."""
    counts = grid.counts
    bins = {kind: {f"{axis}_bins": counts[axis] for axis in axes} for kind, axes in KINDS.items()}
    edges = {
        kind: {f"{axis}_bins": grid.edges[axis].tolist() for axis in axes} for kind, axes in KINDS.items()
    }
    action = {
        "num_bins": {**bins, "gripper": 2, "total": grid.size},
        "distribution": "gaussian",
        "use_spherical": True,
    }
    return {"action_config": action, "bin_policy": edges}
