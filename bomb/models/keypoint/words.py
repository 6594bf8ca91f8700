"""Words to slots: attention finds the token of the colour, the row and the column, and says what it means."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.models.keypoint.layers import linear, rectified, softmax

SLOTS = ("color", "row", "column")
VALUES: dict[str, tuple[Any, ...]] = {
    "color": ("black", "white"),
    "row": (0, 1, 2, 3, 4),
    "column": (0, 1, 2, 3, 4),
}
WIDTH = 3  # tokens that a layer of context spans
MOST_TOKENS = 64
UNKNOWN, EDGE = "<unknown>", "<edge>"
_TOKEN = re.compile(r"[a-z]+|\d|[^\sa-z\d]")


@dataclass(frozen=True, kw_only=True)
class Read:
    """What an instruction says.

    Attributes:
        color: ``black`` or ``white``.
        row, column: of the intersection, from 0.
        certainty: by slot, the share of the value that was taken.
    """

    color: str
    row: int
    column: int
    certainty: dict[str, float]


def tokens_of(text: str) -> list[str]:
    """Words, single digits and signs, lower case, at most ``MOST_TOKENS``."""
    return _TOKEN.findall(text.lower())[:MOST_TOKENS]


def numbers_of(text: str, vocabulary: Mapping[str, int]) -> list[int]:
    """Indices of the tokens, between two edges."""
    words = [EDGE, *tokens_of(text), EDGE]
    return [vocabulary.get(word, vocabulary[UNKNOWN]) for word in words]


class InstructionReader:
    """The network of words.

    Args:
        tensors: of ``bomb.training.keypoint.words.WordsNetwork``, by name.
        vocabulary: the tokens in the order of the embedding.
    """

    def __init__(self, tensors: Mapping[str, np.ndarray], vocabulary: Sequence[str]):
        self._w = {name: np.asarray(value, dtype=np.float32) for name, value in tensors.items()}
        self._vocabulary = {word: k for k, word in enumerate(vocabulary)}

    def read(self, text: str) -> Read:
        """What an instruction asks for; of one that asks for nothing the likeliest guess."""
        logits = self.logits(text)
        chosen, certainty = {}, {}
        for slot in SLOTS:
            shares = softmax(logits[slot])
            best = int(shares.argmax())
            chosen[slot], certainty[slot] = VALUES[slot][best], float(shares[best])
        return Read(**chosen, certainty=certainty)

    def logits(self, text: str) -> dict[str, npt.NDArray[np.float32]]:
        """By slot, float32[values]."""
        w = self._w
        x = w["embedding.weight"][numbers_of(text, self._vocabulary)]
        for layer in ("context1", "context2"):
            x = rectified(_along(x, w[f"{layer}.weight"], w[f"{layer}.bias"]))
        scores = linear(x, w["scores.weight"], w["scores.bias"])
        said = linear(x, w["values.weight"], w["values.bias"])
        made, first = {}, 0
        for k, slot in enumerate(SLOTS):
            count = len(VALUES[slot])
            made[slot] = softmax(scores[:, k]) @ said[:, first : first + count]
            first += count
        return made


def _along(
    x: npt.NDArray[np.float32], weight: npt.NDArray[np.float32], bias: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """A convolution along the tokens, float32[T, out] of float32[T, in]; weight float32[out, in, WIDTH]."""
    padded = np.pad(x, ((WIDTH // 2, WIDTH // 2), (0, 0)))
    return bias + sum(padded[k : k + len(x)] @ weight[:, :, k].T for k in range(WIDTH))
