"""``config.json`` of a SmolVLA, as lerobot writes it.

The file names its VLM and does not say how large that is. Of another than the public one, the sizes are in
``vlm_config.json``, as transformers has them.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bomb.disk.files import FileError, read_json, write_json
from bomb.models.backbones.smolvlm import SmolVLM
from bomb.models.settings import check_count
from core.errors import BombError, OptionError, check_choice

FILE, VLM_FILE = "config.json", "vlm_config.json"
PUBLIC = "HuggingFaceTB/SmolVLM2-500M-Video-Instruct"
MODES = ("cross_attn", "self_attn")
MULTIPLE = 256  # of the expert's MLP


@dataclass(frozen=True, kw_only=True)
class SmolVLAConfig:
    """What the network is made of.

    Attributes:
        chunk: actions.
        state_room, action_room: numbers that there is room for.
        layers: of the VLM that are used.
        expert_layers: of the expert; divides ``layers``.
        every: every so many layers, from the first on, the expert's tokens see one another.
        mode: ``cross_attn``: in the other layers the expert sees the VLM alone; ``self_attn``: never so.
        share: width of the expert over that of the VLM.
        framed: whether tokens stand around pictures.
        steps: of Euler's method.
        side: of the pictures (pixels).
        periods: least and greatest, of the time's embedding.
        sizes: configuration of the VLM.
        raw: the whole file.
    """

    chunk: int
    state_room: int
    action_room: int
    layers: int
    expert_layers: int
    every: int
    mode: str
    share: float
    framed: bool
    steps: int
    side: int
    periods: tuple[float, float]
    sizes: Mapping[str, Any]
    raw: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("chunk", "state_room", "action_room", "layers", "expert_layers", "steps"):
            check_count(name, getattr(self, name))
        check_choice("attention_mode", self.mode, MODES)
        if self.layers % self.expert_layers:
            raise OptionError(f"{self.expert_layers} layers of the expert do not divide {self.layers}")

    @property
    def read_layers(self) -> list[int]:
        """The layers of the VLM that the expert reads, one by each of its own."""
        return list(range(0, self.layers, self.layers // self.expert_layers))

    def crosses(self, layer: int) -> bool:
        """Whether the expert sees the VLM alone beside its layer of this number."""
        return self.mode == "cross_attn" and not (self.every > 0 and layer % self.every == 0)

    def vlm(self) -> Any:
        """The configuration of the cut VLM."""
        from transformers import SmolVLMConfig

        made: Any = SmolVLMConfig(
            **{k: v for k, v in deepcopy(dict(self.sizes)).items() if k != "model_type"}
        )
        made.text_config.num_hidden_layers = self.layers
        return made

    def expert(self) -> Any:
        """The configuration of the expert's layers."""
        text = deepcopy(self.vlm().text_config)
        text.hidden_size = int(text.hidden_size * self.share)
        inside = 4 * int(2 * text.hidden_size / 3)
        text.intermediate_size = -(-inside // MULTIPLE) * MULTIPLE
        text._attn_implementation = "sdpa"
        return text

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], sizes: Mapping[str, Any]) -> "SmolVLAConfig":
        """From the contents of ``config.json`` and the configuration of the VLM.

        Raises:
            OptionError: naming what is missing or wrong.
        """
        if values.get("type") != "smolvla":
            raise OptionError(f"type must be 'smolvla', is {values.get('type')!r}")
        whole = sizes["text_config"]["num_hidden_layers"]
        layers = values.get("num_vlm_layers", 16)
        layers = layers if layers > 0 else whole
        own = values.get("num_expert_layers", -1)
        return cls(
            chunk=values.get("chunk_size", 50),
            state_room=values.get("max_state_dim", 32),
            action_room=values.get("max_action_dim", 32),
            layers=layers,
            expert_layers=own if own > 0 else layers,
            every=values.get("self_attn_every_n_layers", 2),
            mode=values.get("attention_mode", "cross_attn"),
            share=values.get("expert_width_multiplier", 0.75),
            framed=values.get("add_image_special_tokens", False),
            steps=values.get("num_steps", 10),
            side=values.get("resize_imgs_with_padding", [512, 512])[0],
            periods=(values.get("min_period", 4e-3), values.get("max_period", 4.0)),
            sizes=sizes,
            raw=values,
        )

    @classmethod
    def read(cls, folder: Path) -> "SmolVLAConfig":
        """Reads ``config.json``, and ``vlm_config.json`` where there is one.

        Raises:
            FileError: naming the file and what is wrong with it.
        """
        file, other = Path(folder) / FILE, Path(folder) / VLM_FILE
        values = read_json(file)
        name = values.get("vlm_model_name", PUBLIC)
        if not other.is_file() and name != PUBLIC:
            raise FileError(f"{file} is on the VLM {name!r}, whose sizes must be in {VLM_FILE}")
        try:
            sizes = read_json(other) if other.is_file() else SmolVLM.published().to_dict()
            return cls.from_dict(values, sizes)
        except (TypeError, KeyError, AttributeError, ValueError, BombError) as error:
            raise FileError(f"{file} cannot be used: {error}") from error

    def write(self, folder: Path) -> None:
        """Writes the files."""
        write_json(Path(folder) / FILE, dict(self.raw))
        if self.raw.get("vlm_model_name", PUBLIC) != PUBLIC:
            write_json(Path(folder) / VLM_FILE, dict(self.sizes))
