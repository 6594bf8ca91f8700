"""One seed, many independent named streams.

Every purpose (goal, layout, phrasing, each perturbation by name) draws from a generator of its own,
so adding one changes no other draw. The split is part of every stream: a seed of the ``train`` split
shares nothing with the same seed of ``test``.
"""

import zlib

import numpy as np

from core.errors import check_choice, check_integer

# Parity, calibration and continuous integration use splits of their own, so that no number is
# reported on seeds that something was tuned on.
SPLITS: dict[str, int] = {"test": 0, "train": 1, "validation": 2, "calibration": 3, "parity": 4, "ci": 5}


LARGEST_SEED = 2**63 - 1  # what files, databases and protocols hold in 64 bits


def check_seed(seed: object) -> int:
    """A seed as a plain ``int``.

    Raises:
        OptionError: if it is no integer from 0 to 2^63 - 1.
    """
    return check_integer("seed", seed, least=0, most=LARGEST_SEED)


def stream(split: str, seed: int, purpose: str) -> np.random.Generator:
    """Returns the generator of one purpose of one episode.

    Args:
        split: one of ``SPLITS``.
        seed: episode seed, a non-negative integer.
        purpose: name of what is drawn, for example ``"layout"``.

    Raises:
        UnknownNameError: if the split does not exist.
        OptionError: if the seed is negative, no integer, or has more than 63 bits.
    """
    check_choice("split", split, SPLITS)
    key = [SPLITS[split], check_seed(seed), zlib.crc32(purpose.encode())]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))
