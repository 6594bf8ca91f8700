"""Sizes of a Motus, as its ``config.json`` has them here."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bomb.disk.files import FileError, read_json, write_json
from bomb.models.settings import check_count
from core.errors import BombError, OptionError

FILE = "config.json"
VLM = "vlm"  # folder of the VLM's own files


@dataclass(frozen=True, kw_only=True)
class MotusConfig:
    """What the three experts are made of. The public one has 30 layers of 3072, 1024 and 512.

    Attributes:
        dim, ffn, heads: of the video expert; in its heads all three attend together.
        layers: of every expert.
        channels: of a latent picture.
        patch: of it that is one token: (frames, rows, cols).
        text: width of the words that the video expert reads.
        frequencies: of the video expert's times; the action expert has 256.
        action_dim, action_ffn: widths of the action expert.
        registers: learned tokens behind the actions.
        und_dim, und_ffn: widths of the understanding expert.
        vlm: width of the hidden states that it reads.
        states, numbers: of a state and of an action.
        chunk: actions.
        frames: latent pictures of the future.
    """

    dim: int
    ffn: int
    heads: int
    layers: int
    channels: int
    patch: tuple[int, int, int]
    text: int
    frequencies: int
    action_dim: int
    action_ffn: int
    registers: int
    und_dim: int
    und_ffn: int
    vlm: int
    states: int
    numbers: int
    chunk: int
    frames: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "patch", tuple(self.patch))
        for name, value in asdict(self).items():
            for one in value if name == "patch" else (value,):
                check_count(name, one)
        if self.dim % (2 * self.heads):
            raise OptionError(f"dim must be a multiple of 2 x heads = {2 * self.heads}, got {self.dim}")

    @property
    def head_dim(self) -> int:
        """Of every head."""
        return self.dim // self.heads

    @classmethod
    def read(cls, folder: Path) -> "MotusConfig":
        """Reads ``config.json``.

        Raises:
            FileError: naming the file and what is wrong with it.
        """
        values = read_json(Path(folder) / FILE)
        if values.pop("model_type", None) != "motus":
            raise FileError(f"{Path(folder) / FILE} is not of model_type 'motus'")
        try:
            return cls(**values)
        except (TypeError, BombError) as error:
            raise FileError(f"{Path(folder) / FILE} cannot be used: {error}") from error

    def write(self, folder: Path) -> None:
        """Writes ``config.json``."""
        write_json(Path(folder) / FILE, {"model_type": "motus", **asdict(self)})


def tiny_config(*, chunk: int, numbers: int, states: int, vlm: int, frames: int = 2) -> MotusConfig:
    """Two layers each; the VLM has the width ``vlm``."""
    sizes: Mapping[str, int] = {"dim": 48, "ffn": 64, "heads": 4, "layers": 2, "channels": 12, "text": vlm,
                                "frequencies": 16, "action_dim": 32, "action_ffn": 64, "registers": 4,
                                "und_dim": 16, "und_ffn": 32}  # fmt: skip
    return MotusConfig(
        **sizes, patch=(1, 2, 2), vlm=vlm, states=states, numbers=numbers, chunk=chunk, frames=frames
    )
