"""FAST tokens as words of a language model, and whose numbers each of them tells.

An answer is ``Action: ``, the tokens, ``|`` and the end of the sequence, as in openpi. Token k is the word
``vocabulary - 1 - skip - k``: the last words but those that are special.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bomb.models.codecs.fast import Fast
from core.errors import OptionError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

HEADER, BAR = "Action: ", "|"


@dataclass(frozen=True, kw_only=True, eq=False)
class FastWords:
    """Between normalised chunks and words.

    Attributes:
        fast: the tokens.
        tokenizer: of the language model, a fast one.
        skip: words behind the action tokens.

    Raises:
        OptionError: if the tokenizer has no ``|``, no end of the sequence, or no room for the tokens.
    """

    fast: Fast
    tokenizer: "PreTrainedTokenizerFast"
    skip: int

    def __post_init__(self) -> None:
        bar = self._ids(BAR)
        if len(bar) != 1 or bar[0] == self.tokenizer.unk_token_id:
            raise OptionError(f"the tokenizer has no token for {BAR!r}, which ends an answer of FAST tokens")
        if self.tokenizer.eos_token_id is None:
            raise OptionError("the tokenizer has no end of the sequence, which ends an answer of FAST tokens")
        if self.first - self.fast.size < max(bar[0], *self.header):
            raise OptionError(
                f"{self.fast.size} FAST tokens and {self.skip} words behind them do not fit into a "
                f"vocabulary of {len(self.tokenizer)}"
            )

    @property
    def first(self) -> int:
        """The word of token 0; those of the others lie below."""
        return len(self.tokenizer) - 1 - self.skip

    @cached_property
    def header(self) -> tuple[int, ...]:
        """What every answer begins with."""
        return tuple(self._ids(HEADER))

    @cached_property
    def bar(self) -> int:
        """What ends the tokens."""
        return self._ids(BAR)[0]

    @property
    def most(self) -> int:
        """Words of the longest answer, with its bar: a character is two bytes, and a token one, at most."""
        return 2 * self.fast.chunk * self.fast.dims + 1

    @cached_property
    def starts(self) -> npt.NDArray[np.int64]:
        """int64[size]: how many characters begin in each token."""
        from tokenizers import pre_tokenizers

        # ByteLevel writes the bytes 0x80 to 0xBF, which begin no character, as these.
        sign = {sign: byte for byte, sign in _byte_signs(pre_tokenizers.ByteLevel.alphabet()).items()}
        found = np.zeros(self.fast.size, dtype=np.int64)
        for text, token in self.fast.tokenizer.get_vocab().items():
            plain = all(character in sign for character in text)
            raw = bytes(sign[character] for character in text) if plain else text.encode()
            found[token] = sum(byte & 0xC0 != 0x80 for byte in raw)
        return found

    def encode(self, values: npt.NDArray[np.floating]) -> list[list[int]]:
        """Answers, with their headers and ends, of normalised chunks float[B, chunk, dims]."""
        stop = self.tokenizer.eos_token_id
        return [
            [*self.header, *(self.first - one).tolist(), self.bar, stop] for one in self.fast.encode(values)
        ]

    def decode(self, words: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Normalised chunks, float64[B, chunk, dims], of words int64[B, n] up to a bar.

        Words that are no action tokens say nothing.
        """
        rows = []
        for row in np.asarray(words):
            ends = np.flatnonzero(row == self.bar)
            tokens = self.first - row[: ends[0] if len(ends) else None]
            rows.append(tokens[(tokens >= 0) & (tokens < self.fast.size)])
        return self.fast.decode(rows)

    def shares(self, words: Sequence[int]) -> npt.NDArray[np.float64]:
        """Whose numbers each word tells, float64[n, dims]; rows have the sum 1.

        A token tells as many coefficients of each dimension as there are characters of them in it. Words that
        are no tokens belong to all dimensions alike.
        """
        dims = self.fast.dims
        found = np.full((len(words), dims), 1 / dims)
        at = 0
        for k, word in enumerate(words):
            if not 0 <= self.first - word < self.fast.size:
                continue
            count = int(self.starts[self.first - word])
            told = np.arange(at, at + count) if count else np.array([max(at - 1, 0)])
            found[k] = np.bincount(told % dims, minlength=dims) / len(told)
            at += count
        return found

    def choose(self, logits: Tensor, made: Sequence[Tensor]) -> Tensor:
        """The next word, int64[B, 1]: an action token or the bar; the bar from where a chunk is whole.

        Args:
            logits: float32[B, vocabulary].
            made: int64[B, 1] each, what was made before.
        """
        low = self.first - self.fast.size + 1
        best = logits[:, low : self.first + 1].max(-1)
        bar = logits[:, self.bar]
        found = torch.where(bar > best.values, self.bar, best.indices + low)[:, None]
        if not made:
            return found
        before = torch.cat(list(made), dim=1)
        starts = torch.from_numpy(self.starts).to(before.device)
        tokens = (self.first - before).clamp(0, self.fast.size - 1)
        told = torch.where(before == self.bar, 0, starts[tokens]).sum(1)
        done = (before == self.bar).any(1) | (told >= self.fast.chunk * self.fast.dims)
        done |= torch.full_like(done, len(made) == self.most - 1)
        return torch.where(done[:, None], self.bar, found)

    def _ids(self, text: str) -> list[int]:
        return [int(word) for word in self.tokenizer(text, add_special_tokens=False)["input_ids"]]


def _byte_signs(alphabet: Sequence[str]) -> dict[int, str]:
    """The sign that ByteLevel writes each byte as: itself where it can be seen, else one from 256 on."""
    seen = [sign for sign in alphabet if ord(sign) < 256]
    hidden = sorted((sign for sign in alphabet if ord(sign) >= 256), key=ord)
    rest = [byte for byte in range(256) if byte not in {ord(sign) for sign in seen}]
    return {**{ord(sign): sign for sign in seen}, **dict(zip(rest, hidden, strict=True))}
