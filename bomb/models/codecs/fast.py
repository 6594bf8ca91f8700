"""FAST (Pertsch et al. 2025, arXiv:2501.09747): chunks as few tokens, by a cosine transform and byte pairs.

Each dimension of a normalised chunk is transformed over time (DCT-II, orthonormal), scaled and rounded. Low
frequencies of all dimensions come first; each number is a character, and pairs that are frequent in the data
become one token. Nothing is downloaded: the tokens are fitted to one's own chunks. Files are those of the
public processor: ``tokenizer.json`` and ``processor_config.json``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bomb.disk.files import FileError, read_json, write_json
from core.errors import OptionError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TOKENS, ABOUT = "tokenizer.json", "processor_config.json"
SCALE = 10.0  # of the universal tokenizer
EDGES = np.linspace(-1, 1, 257)[:-1]  # of states that are written as words
CHARACTERS = 2048  # codes that are tried; a scaled coefficient is far below


def state_bins(state: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
    """Words of a normalised state, int64[...] of float[...]: 0 to 255, and -1 below -1, as in openpi."""
    bins: npt.NDArray[np.int64] = np.digitize(state, EDGES) - 1
    return bins


def cosines(length: int) -> npt.NDArray[np.float64]:
    """The orthonormal DCT-II, float64[length, length]: row k is of frequency k."""
    at = (np.arange(length) + 0.5) * np.pi / length
    table: npt.NDArray[np.float64] = np.cos(np.arange(length)[:, None] * at) * np.sqrt(2 / length)
    table[0] /= np.sqrt(2)
    return table


@dataclass(frozen=True, kw_only=True, eq=False)
class Fast:
    """A fitted codec.

    Attributes:
        tokenizer: of the library tokenizers, over characters.
        least: the number that the first character stands for.
        chunk, dims: of what is encoded.
        scale: of the coefficients before they are rounded.
    """

    tokenizer: "Tokenizer" = field(repr=False)
    least: int
    chunk: int
    dims: int
    scale: float = SCALE

    @property
    def size(self) -> int:
        """Tokens that there are."""
        return int(self.tokenizer.get_vocab_size())

    @cached_property
    def known(self) -> npt.NDArray[np.int64]:
        """int64[n], the codes of characters that the tokens can say, rising."""
        texts = [chr(code) for code in range(CHARACTERS) if not 0xD800 <= code < 0xE000]
        found = [text for text, one in zip(texts, self.tokenizer.encode_batch(texts), strict=True)
                 if self.tokenizer.decode(one.ids) == text]  # fmt: skip
        return np.array([ord(text) for text in found])

    def coefficients(self, values: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
        """int64[B, chunk, dims], by frequency, of normalised values float[B, chunk, dims].

        Raises:
            OptionError: for another shape or a number that is not finite.
        """
        values = np.asarray(values, dtype=np.float64)
        if values.shape[1:] != (self.chunk, self.dims) or not np.isfinite(values).all():
            raise OptionError(
                f"FAST encodes finite chunks of {self.chunk} x {self.dims}, got shape {values.shape}"
            )
        spectrum: npt.NDArray[np.float64] = np.einsum("kt,btd->bkd", cosines(self.chunk), values)
        return np.around(spectrum * self.scale).astype(np.int64)

    def encode(self, values: npt.NDArray[np.floating]) -> list[npt.NDArray[np.int64]]:
        """Tokens, int64[n] each, of normalised values float[B, chunk, dims].

        A coefficient that the tokens cannot say is put at the nearest one that they can. (The public code
        drops it, and its whole chunk is decoded as zeros.)
        """
        codes = self.coefficients(values).reshape(len(values), -1) - self.least
        places = np.clip(np.searchsorted(self.known, codes), 1, len(self.known) - 1)
        low, high = self.known[places - 1], self.known[places]
        codes = np.where(codes - low < high - codes, low, high)
        texts = ["".join(map(chr, row)) for row in codes]
        return [np.array(one.ids, dtype=np.int64) for one in self.tokenizer.encode_batch(texts)]

    def decode(self, tokens: Sequence[npt.NDArray[np.integer]]) -> npt.NDArray[np.float64]:
        """Normalised values, float64[B, chunk, dims], of tokens int64[n] each.

        Where a model made too few, what is missing are high frequencies, which are taken as zero; what is too
        much is left out.
        """
        size = self.chunk * self.dims
        found = np.zeros((len(tokens), size))
        for k, row in enumerate(tokens):
            text = self.tokenizer.decode([int(token) for token in row])[:size]
            found[k, : len(text)] = [ord(character) + self.least for character in text]
        table = found.reshape(-1, self.chunk, self.dims) / self.scale
        values: npt.NDArray[np.float64] = np.einsum("kt,bkd->btd", cosines(self.chunk), table)
        return values

    # ---- fitting and files ------------------------------------------------------------------

    @classmethod
    def fit(
        cls, chunks: npt.NDArray[np.floating], *, size: int = 1024, scale: float = SCALE, reach: float = 0.0
    ) -> "Fast":
        """Tokens for chunks as these are.

        Args:
            chunks: normalised, float[N, chunk, dims].
            size: tokens at most.
            scale: larger is finer, and takes more tokens.
            reach: every chunk of numbers up to this one can be said, too, whether the data have it or not.

        Raises:
            OptionError: if there is nothing to fit to, or ``size`` is below the characters that there are.
        """
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

        chunks = np.asarray(chunks, dtype=np.float64)
        if chunks.ndim != 3 or not chunks.size:
            raise OptionError(f"FAST is fitted to chunks of shape (N, chunk, dims), got {chunks.shape}")
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        plain = cls(tokenizer=tokenizer, least=0, chunk=chunks.shape[1], dims=chunks.shape[2], scale=scale)
        numbers = plain.coefficients(chunks)
        # A row of the transform has the length 1: no coefficient is above the root of the chunk's length.
        most = math.ceil(reach * scale * math.sqrt(chunks.shape[1]))
        least = min(int(numbers.min()), -most)
        alphabet = [chr(code) for code in range(max(int(numbers.max()), most) - least + 1)]
        if size < len(alphabet):
            raise OptionError(f"size must be at least {len(alphabet)}, the characters that there are")
        texts = ["".join(map(chr, row)) for row in numbers.reshape(len(numbers), -1) - least]
        trainer = trainers.BpeTrainer(
            vocab_size=size, min_frequency=2, show_progress=False, initial_alphabet=alphabet,
            max_token_length=10_000,
        )  # fmt: skip
        tokenizer.train_from_iterator([*alphabet, *texts], trainer)
        return cls(tokenizer=tokenizer, least=least, chunk=chunks.shape[1], dims=chunks.shape[2], scale=scale)

    def save(self, folder: Path) -> None:
        """Writes the files of the public processor."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        self.tokenizer.save(str(Path(folder) / TOKENS))
        about = {"processor_class": "UniversalActionProcessor", "scale": self.scale, "vocab_size": self.size,
                 "min_token": self.least, "time_horizon": self.chunk, "action_dim": self.dims}  # fmt: skip
        write_json(Path(folder) / ABOUT, about)

    @classmethod
    def load(cls, folder: Path, *, chunk: int, dims: int) -> "Fast":
        """Reads the files; those of the universal tokenizer do not say for what chunks it is.

        Raises:
            FileError: naming the file that is missing, damaged or does not fit.
        """
        from tokenizers import Tokenizer

        file, about = Path(folder) / TOKENS, read_json(Path(folder) / ABOUT)
        if not file.is_file():
            raise FileError(f"{folder} has no {TOKENS}")
        for name, wanted in (("time_horizon", chunk), ("action_dim", dims)):
            if about.get(name) not in (None, wanted):
                raise FileError(f"{folder} was fitted with {name} {about[name]}, the model has {wanted}")
        try:
            tokenizer = Tokenizer.from_file(str(file))
            return cls(
                tokenizer=tokenizer, least=int(about["min_token"]), chunk=chunk, dims=dims,
                scale=float(about.get("scale", SCALE)),
            )  # fmt: skip
        except Exception as error:  # tokenizers raises bare Exceptions
            raise FileError(f"{folder} cannot be read: {error}") from error
