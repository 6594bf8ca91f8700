"""What a backbone is: pictures and words in, hidden states out; it knows its tokens, positions and prompts.

An adapter says how one model of transformers is built, what its prompt looks like, and where its parts are.
Sequences, padding, masks and positions are BOMB's own, so that a question is answered alike in any batch.
"""

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from bomb.disk.files import FileError, read_json, write_json
from bomb.models import masks
from bomb.models.backbones.inside import decoder_layers, vision_layers
from bomb.models.heads.resampler import Resampler
from bomb.models.memory import Memory
from bomb.models.pictures import normalise, resize
from bomb.models.sequences import Learned, Patches, Sequences, gather
from bomb.models.vla import Batch, Layer
from bomb.models.words import Tokens, load_tokenizer, tokenize
from core.errors import OptionError

if TYPE_CHECKING:
    from transformers import Cache, PreTrainedTokenizerFast

PROCESSOR = "preprocessor_config.json"
NAMED = 5


@dataclass(frozen=True, kw_only=True)
class Colours:
    """How a picture is shown.

    Attributes:
        mean, std: of a picture from 0 to 1: (x - mean) / std per channel.
        side: of the square that it is resized to (pixels), for models that take any; 0: the model says.
    """

    mean: tuple[float, ...] = (0.5, 0.5, 0.5)
    std: tuple[float, ...] = (0.5, 0.5, 0.5)
    side: int = 0


class Backbone(nn.Module, ABC):
    """A vision-language model.

    What transformers' classes have inside differs from one to the next, so it has no type here.

    Args:
        model: of transformers, the one with a language head.
        tokenizer: a fast one.
        colours: None takes the adapter's own.

    Attributes:
        name: as it is registered.
        template: the prompt, with ``{pictures}`` and ``{instruction}``.
        before, after: what stands around each picture.
        special: tokens that a tokenizer of it must have.
        together: whether all of a prompt looks at all of it, as in PaliGemma; else only at what came before.
        chained: whether words and moments can follow a question, each seeing what came before. An encoder
            that reads a question as a whole has no such order.
        parts: beginnings of its parameters' names by part: ``vision``, ``words``, ``language`` at least.
    """

    name: ClassVar[str]
    template: str
    before: str = ""
    after: str = ""
    special: ClassVar[tuple[str, ...]] = ()
    colours: ClassVar[Colours] = Colours()
    together: ClassVar[bool] = False
    chained: ClassVar[bool] = True
    parts: ClassVar[Mapping[str, tuple[str, ...]]]
    tiny_side: ClassVar[int] = 0  # as ``Colours.side``, of tiny ones

    def __init__(self, model: Any, tokenizer: "PreTrainedTokenizerFast", colours: Colours | None = None):
        super().__init__()
        self.model: Any = model
        self.tokenizer = tokenizer
        self.resampler: Resampler | None = None
        self.expert: Any = None  # as ``language``
        self.shown = colours or self.colours
        if self.colours.side and not self.shown.side:
            self.shown = replace(self.shown, side=self.colours.side)

    # ---- what an adapter says ---------------------------------------------------------------

    @classmethod
    @abstractmethod
    def kind(cls) -> Any:
        """The class of transformers."""

    @classmethod
    @abstractmethod
    def tiny_config(cls, vocabulary: int) -> Any:
        """A configuration of a few thousand parameters, with so many words."""

    @classmethod
    @abstractmethod
    def published(cls) -> Any:
        """The configuration of the public model that papers use."""

    @property
    @abstractmethod
    def tower(self) -> Any:
        """What encodes pictures."""

    @property
    @abstractmethod
    def language(self) -> Any:
        """The decoder: takes embeddings, a 4-D mask and positions."""

    @abstractmethod
    def see(self, pixels: Tensor) -> Tensor:
        """Embedded pictures, float[n, seen, d], of float[n, 3, side, side]."""

    # ---- what most have in common -----------------------------------------------------------

    @property
    def side(self) -> int:
        """Of the square pictures that it takes (pixels)."""
        return int(self.model.config.vision_config.image_size)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the tokens that a picture becomes."""
        n = self.side // self.model.config.vision_config.patch_size
        return n, n

    @property
    def seen(self) -> int:
        """Tokens that a picture becomes, those outside of the grid included."""
        rows, cols = self.cells
        return rows * cols

    @property
    def cells(self) -> tuple[int, int]:
        """As ``grid``, or as many as there are latents of a resampler: these are of no place."""
        if self.resampler is None:
            return self.grid
        count = math.isqrt(len(self.resampler.latents))
        return count, count

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Of all its streams."""
        heads = self.model.config.vision_config.num_attention_heads
        return (*vision_layers(self.tower.encoder.layers, heads), *decoder_layers(self.language.layers))

    @property
    def image_token(self) -> int:
        """Id that stands for a piece of a picture where transformers put the sequence together."""
        return int(self.model.config.image_token_id)

    def native(self, ids: Tensor, pixels: Tensor) -> dict[str, Any]:
        """One question as the model of transformers takes it, to be compared with.

        Args:
            ids: int64[1, L], with image tokens.
            pixels: float[n, 3, side, side].
        """
        return {"input_ids": ids, "pixel_values": pixels}

    @property
    def width(self) -> int:
        """Of its hidden states."""
        return int(self.model.config.get_text_config().hidden_size)

    @property
    def pad(self) -> int:
        """Id of a word that stands for none."""
        return int(self.tokenizer.pad_token_id or 0)

    def check_chained(self, family: str) -> None:
        """Returns if words and moments can follow a question.

        Raises:
            OptionError: if not, with the families that need no such order.
        """
        if not self.chained:
            raise OptionError(
                f"{self.name} reads a question with an encoder, behind which nothing follows in order, as "
                f"{family} needs; use vlm4vla, robovlms/one_step_continuous or robovlms/policy_head"
            )

    def prompt(self, instruction: str, cameras: Sequence[str]) -> list[Tokens | Patches | Learned]:
        """The pieces of a question, to which what is learned is appended."""
        head, _, tail = self.template.partition("{pictures}")
        rows, cols = self.cells
        pieces: list[Tokens | Patches | Learned] = [self.plain(head)]
        for camera in cameras:
            picture = Patches(camera=camera, rows=rows, cols=cols)
            pieces += [self.plain(self.before), picture, self.plain(self.after)]
        return [*pieces, tokenize(self.tokenizer, tail, instruction.strip(), special=False)]

    def plain(self, text: str) -> Tokens:
        """Text around pictures, as tokens that are no part of the instruction."""
        return Tokens.of(*self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def pixels(self, pictures: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
        """float32[n, 3, side, side] of uint8[H, W, 3] each."""
        side = self.side
        return np.stack([normalise(resize(p, side, side), self.shown.mean, self.shown.std) for p in pictures])

    def positions(self, sequences: Sequences) -> Tensor:
        """Where everything stands, as the decoder wants it: int64[B, L], or int64[B, 3, L]."""
        return sequences.positions

    def allowed(self, mask: Tensor, steps: Tensor | None = None) -> Tensor:
        """Who looks at whom, bool[B, L, L].

        Args:
            mask: bool[B, L], what is no padding.
            steps: int64[B, L], the moment that a position belongs to; None: all to one.
        """
        if not self.together:
            return masks.causal(mask)
        if steps is None:
            return masks.full(mask)
        return masks.causal(mask) | ((steps[:, :, None] >= steps[:, None]) & mask[:, None])

    def words(self, ids: Tensor) -> Tensor:
        """Embedded words, float[B, T, d]."""
        return self.widen(self.model.get_input_embeddings()(ids))

    def widen(self, vectors: Tensor) -> Tensor:
        """Vectors that are no patches, as wide as patches are; where these carry more, zeros are added."""
        return vectors

    def embed(self, batch: Batch, learned: Tensor | None = None) -> Tensor:
        """The sequence as vectors, float[B, L, d].

        Args:
            batch: with ``ids``, ``slots`` and ``pixels`` (float[B, pictures, 3, side, side]).
            learned: float[B, n, d], the vectors that are no words.
        """
        pixels = batch.inputs["pixels"]
        patches = self.see(pixels.flatten(0, 1))
        if self.resampler is not None:
            patches = self.widen(self.resampler(patches[..., : self.width]))
        patches = patches.unflatten(0, pixels.shape[:2]).flatten(1, 2)
        more = None if learned is None else self.widen(learned)
        return gather(batch.inputs["slots"], self.words(batch.inputs["ids"]), patches, more)

    def hidden(
        self,
        embeddings: Tensor,
        mask: Tensor,
        positions: Tensor,
        cache: "Cache | Memory | None" = None,
        decoder: Any = None,
    ) -> Tensor:
        """Hidden states after the last norm, float[B, L, d].

        Args:
            embeddings: float[B, L, d].
            mask: float[B, 1, L, keys], see ``bomb.models.masks``.
            positions: as the method of this name gives them.
            cache: keys and values of what came before, added to; None: nothing came before.
            decoder: of the same form as ``language``, which is taken where it is None.
        """
        return (decoder or self.language)(
            inputs_embeds=embeddings,
            attention_mask=mask,
            position_ids=positions if positions.ndim == 2 else positions.transpose(0, 1),
            past_key_values=cache,
            use_cache=cache is not None,
        ).last_hidden_state

    def logits(self, hidden: Tensor) -> Tensor:
        """float32[..., vocabulary]."""
        return self.model.lm_head(hidden).float()

    def forward(self, batch: Batch, learned: Tensor | None = None, steps: Tensor | None = None) -> Tensor:
        """Hidden states of a batch, float[B, L, d].

        Args:
            batch, learned: as ``embed`` takes them.
            steps: as ``allowed`` takes them.
        """
        embeddings = self.embed(batch, learned)
        allowed = self.allowed(batch.attention_mask, steps)
        if self.expert is not None and learned is not None:
            return self._apart(embeddings, allowed, batch.position_ids, learned.shape[1])
        return self.hidden(embeddings, masks.additive(allowed, embeddings.dtype), batch.position_ids)

    def separate(self) -> None:
        """Gives learned vectors at the end of a question weights of their own, a copy of the decoder's.

        They see the keys and values of the question; it does not see them.
        """
        self.expert = copy.deepcopy(self.language)
        self.expert.set_input_embeddings(nn.Identity())

    def _apart(self, embeddings: Tensor, allowed: Tensor, positions: Tensor, count: int) -> Tensor:
        size, memory = embeddings.shape[1] - count, Memory()
        mask = masks.additive(allowed, embeddings.dtype)
        asked = self.hidden(embeddings[:, :size], mask[..., :size, :size], positions[..., :size], memory)
        after = self.hidden(
            embeddings[:, size:], mask[..., size:, :], positions[..., size:], memory.beside(), self.expert
        )
        return torch.cat([asked, after], dim=1)

    # ---- files ------------------------------------------------------------------------------

    @classmethod
    def load(cls, folder: Path, *, dtype: torch.dtype | None = None) -> Self:
        """Reads what ``from_pretrained`` reads; nothing is downloaded and no code of the folder is run.

        Raises:
            FileError: naming the file or key that does not fit.
        """
        kind = cls.kind()
        tokenizer = load_tokenizer(folder, cls.special, cls.name)
        model, about = kind.from_pretrained(
            folder,
            dtype="auto" if dtype is None else dtype,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they are told below, by name
        )
        for what in ("missing_keys", "unexpected_keys", "mismatched_keys"):
            if keys := sorted(map(str, about[what])):
                named = ", ".join(keys[:NAMED]) + (" and more" if len(keys) > NAMED else "")
                raise FileError(f"the weights in {folder} have {what.replace('_', ' ')}: {named}")
        return cls(model, tokenizer, _colours(folder))

    def save(self, folder: Path) -> None:
        """Writes what ``from_pretrained`` reads."""
        self.model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        colours = {"image_mean": self.shown.mean, "image_std": self.shown.std}
        write_json(folder / PROCESSOR, {**colours, "size": {"height": self.side, "width": self.side}})


def _colours(folder: Path) -> Colours | None:
    file = Path(folder) / PROCESSOR
    values: dict[str, Any] = read_json(file) if file.is_file() else {}
    if "image_mean" not in values or "image_std" not in values:
        return None
    size = values.get("size")
    side = size.get("height", 0) if isinstance(size, Mapping) else 0
    return Colours(mean=tuple(values["image_mean"]), std=tuple(values["image_std"]), side=side)
