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


def stream(split: str, seed: int, purpose: str) -> np.random.Generator:
    """Returns the generator of one purpose of one episode.

    Args:
        split: one of ``SPLITS``.
        seed: episode seed, a non-negative integer.
        purpose: name of what is drawn, for example ``"layout"``.

    Raises:
        UnknownNameError: if the split does not exist.
        OptionError: if the seed is negative or no integer.
    """
    check_choice("split", split, SPLITS)
    seed = check_integer("seed", seed, least=0)
    key = [SPLITS[split], int(seed), zlib.crc32(purpose.encode())]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))
