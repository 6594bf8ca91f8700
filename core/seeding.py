"""One seed, many independent named streams.

Every purpose (goal, layout, phrasing, each perturbation by name) draws from a generator of its own,
so adding one changes no other draw. The split is part of every stream: a seed of the ``train`` split
shares nothing with the same seed of ``test``.
"""

import zlib
from collections.abc import Iterable
from hashlib import sha256
from typing import TypeVar

import numpy as np

from core.errors import OptionError, check_choice

Item = TypeVar("Item")

# Version of what seeds draw: raised whenever a (task, split, seed) becomes another episode, or a policy gets
# another seed in it. It stands among the versions of every run and dataset, so that none is continued with
# other episodes than it was begun with.
DRAWS = 2

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
    _check(split, seed)
    key = [SPLITS[split], int(seed), zlib.crc32(purpose.encode())]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))


def policy_seed(split: str, seed: int) -> int:
    """The seed that a policy gets for its own randomness in an episode: 0 <= policy seed < 2**31.

    The first 31 bits of a SHA-256 of (split, seed, "policy"): the same for everybody who plays the episode,
    and no number from which the scene can be drawn again. Nothing else that names the scene reaches a policy.

    Raises:
        UnknownNameError, OptionError: as ``stream``.
    """
    _check(split, seed)
    return _hashed(f"{SPLITS[split]}:{int(seed)}:policy") >> 225


def shuffled(items: Iterable[Item], purpose: str) -> list[Item]:
    """The items in an order that depends on their number and ``purpose`` alone; none keeps its place.

    Episodes are played in such an order, so that counting them does not tell a policy their seeds. A cyclic
    permutation by Sattolo's algorithm (1986); a single item stays where it is.
    """
    order = list(items)
    for k in range(len(order) - 1, 0, -1):
        other = _hashed(f"{purpose}:{k}") % k
        order[k], order[other] = order[other], order[k]
    return order


def _hashed(text: str) -> int:
    return int.from_bytes(sha256(text.encode()).digest(), "big")


def _check(split: str, seed: int) -> None:
    check_choice("split", split, SPLITS)
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise OptionError(f"seed must be a non-negative integer, got {seed!r}")
