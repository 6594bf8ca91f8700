"""What of pi0 reads: a PaliGemma without a language head, whose positions begin at zero."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from torch import Tensor

from bomb.models.backbones.paligemma import TINY_TEXT, TINY_VISION, PaliGemma
from bomb.models.pi0.config import sized
from bomb.models.pictures import normalise, resize_with_pad
from bomb.models.sequences import Learned, Patches, Sequences
from bomb.models.words import Tokens

SMALL_VISION = {**TINY_VISION, "hidden_size": 64, "intermediate_size": 256, "num_attention_heads": 4}
SMALL_TEXT = {**TINY_TEXT, "hidden_size": 64, "intermediate_size": 256, "head_dim": 16}


class Pi0Prefix(PaliGemma):
    """PaliGemma as pi0 has it."""

    name: ClassVar[str] = "pi0"

    @classmethod
    def tiny_pi0(cls, vocabulary: int, chunk: int) -> Any:
        """A configuration of pi0 with 400 thousand parameters, enough to learn where a stone is."""
        return sized(
            SMALL_VISION, SMALL_TEXT, {**SMALL_TEXT, "hidden_size": 48}, vocabulary,
            chunk_size=chunk, max_state_dim=8, max_action_dim=8,
        )  # fmt: skip

    @property
    def tower(self) -> Any:
        return self.model.vision_tower

    @property
    def language(self) -> Any:
        return self.model.language_model

    def see(self, pixels: Tensor) -> Tensor:
        return self.model.multi_modal_projector(self.model.vision_tower(pixels).last_hidden_state)

    def pixels(self, pictures: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
        shown = self.shown
        return np.stack([normalise(resize_with_pad(p, self.side), shown.mean, shown.std) for p in pictures])

    def prompt(self, instruction: str, cameras: Sequence[str]) -> list[Tokens | Patches | Learned]:
        """openpi reads underscores and line breaks as spaces."""
        return super().prompt(instruction.replace("_", " ").replace("\n", " "), cameras)

    def positions(self, sequences: Sequences) -> Tensor:
        return sequences.positions
