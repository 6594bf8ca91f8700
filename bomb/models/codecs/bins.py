"""OpenVLA's action tokens: 256 edges from -1 to 1, hence 255 centres, on the last 256 ids of the vocabulary.

A value's digit is the number of edges that are not above it, 1 to 256; its token is ``vocabulary - digit``.
Decoding takes the centre of bin ``digit - 1``; the last two digits share one. Round trip: within 1/255.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import OptionError


@dataclass(frozen=True, kw_only=True)
class Bins:
    """The bins of one vocabulary.

    Attributes:
        vocabulary: ids of the tokenizer without padding, 32000 for OpenVLA.
        edges: how many, equally spaced from -1 to 1.
    """

    vocabulary: int
    edges: int = 256

    def __post_init__(self) -> None:
        if isinstance(self.edges, bool) or not isinstance(self.edges, int) or self.edges < 2:
            raise OptionError(f"edges must be an integer from 2 up, got {self.edges!r}")
        if self.vocabulary < self.edges:
            raise OptionError(
                f"{self.edges} action tokens do not fit into a vocabulary of {self.vocabulary} ids"
            )

    @property
    def first(self) -> int:
        """The lowest id that is an action token, of the value 1."""
        return self.vocabulary - self.edges

    @property
    def centres(self) -> npt.NDArray[np.float64]:
        """float64[edges - 1], rising."""
        edges = np.linspace(-1, 1, self.edges)
        return (edges[:-1] + edges[1:]) / 2

    def encode(self, values: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
        """Token ids, int64[...], of normalised values float[...]; those beyond -1..1 are put at the end.

        Raises:
            OptionError: for a value that is not finite.
        """
        values = np.clip(np.asarray(values, dtype=np.float64), -1, 1)
        if not np.isfinite(values).all():
            raise OptionError("an action that is not finite has no token")
        return self.vocabulary - np.searchsorted(np.linspace(-1, 1, self.edges), values, side="right")

    def decode(self, ids: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
        """Values, float64[...], of token ids; ids that are no action tokens give the nearest end."""
        digits = self.vocabulary - np.asarray(ids, dtype=np.int64)
        return self.centres[np.clip(digits - 1, 0, self.edges - 2)]
