"""What of pi0-FAST reads and speaks: a PaliGemma with its head, openpi's prompt and positions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bomb.disk.files import FileError, read_json
from bomb.models.backbones.paligemma import PaliGemma
from bomb.models.codecs.fast import state_bins
from bomb.models.pi0.config import GEMMA, HEADS, SO400M, WORDS
from bomb.models.pictures import normalise, resize_with_pad
from bomb.models.sequences import Learned, Patches, Sequences
from bomb.models.weights import empty, load_weights, weight_files
from bomb.models.words import Tokens, load_tokenizer

PROMPT = "Task: {instruction}, State: {state};\n"
LEROBOT = "model.paligemma_with_expert.paligemma."
TOWER, DEEPER = "model.vision_tower.", "model.vision_tower.vision_model."


class Pi0FastPrefix(PaliGemma):
    """PaliGemma as pi0-FAST has it; positions begin at zero."""

    name: ClassVar[str] = "pi0-fast"

    def pixels(self, pictures: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
        shown = self.shown
        return np.stack([normalise(resize_with_pad(p, self.side), shown.mean, shown.std) for p in pictures])

    def positions(self, sequences: Sequences) -> Tensor:
        return sequences.positions

    def question(
        self, instruction: str, state: npt.NDArray[np.float64], cameras: Sequence[str]
    ) -> list[Tokens | Patches | Learned]:
        """The pieces of a question; ``state`` is normalised, float64[d]."""
        told = PROMPT.replace("{state}", " ".join(map(str, state_bins(state))))
        self.template = "{pictures}<bos>" + told
        return self.prompt(instruction.lower().strip().replace("_", " "), cameras)

    @classmethod
    def full_config(cls, variant: str = "gemma_2b") -> Any:
        """The configuration of the public model, which has no words of PaliGemma behind its first 257,152."""
        text = {"model_type": "gemma", **GEMMA[variant], **HEADS, "vocab_size": WORDS}
        return cls.config(text, SO400M, WORDS)

    @classmethod
    def load(cls, folder: Path, *, dtype: torch.dtype | None = None) -> Self:
        """Reads what ``from_pretrained`` reads, or the files of lerobot."""
        values = read_json(Path(folder) / "config.json")
        if values.get("type") != "pi0_fast":
            return super().load(folder, dtype=dtype)
        variant = values.get("paligemma_variant", "gemma_2b")
        if variant not in GEMMA:
            raise FileError(f"{folder}: unknown paligemma_variant {variant!r}; valid: {', '.join(GEMMA)}")
        model = empty(lambda: cls.kind()(cls.full_config(variant)))
        load_weights(model, weight_files(folder), dtype=dtype, rename=ours)
        return cls(model, load_tokenizer(folder))


def ours(key: str) -> str:
    """The name here of a name in lerobot's files."""
    key = key.removeprefix(LEROBOT)
    return TOWER + key.removeprefix(DEEPER) if key.startswith(DEEPER) else key


def public(key: str) -> str:
    """The name in lerobot's files of a name here."""
    return LEROBOT + (DEEPER + key.removeprefix(TOWER) if key.startswith(TOWER) else key)
