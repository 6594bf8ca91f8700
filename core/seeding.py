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

from core.errors import check_choice, check_integer

Item = TypeVar("Item")

# Version of what seeds draw: raised whenever a (task, split, seed) becomes another episode, or a policy gets
# another seed in it. It stands among the versions of every run and dataset, so that none is continued with
# other episodes than it was begun with.
DRAWS = 3

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


def policy_seed(split: str, seed: int) -> int:
    """The seed that a policy gets for its own randomness in an episode: 0 <= policy seed < 2**31.

    The first 31 bits of a SHA-256 of (split, seed, "policy"): the same for everybody who plays the episode,
    and no number from which the scene can be drawn again. Nothing else that names the scene reaches a policy.

    Raises:
        UnknownNameError, OptionError: as ``stream``.
    """
    check_choice("split", split, SPLITS)
    return _hashed(f"{SPLITS[split]}:{check_seed(seed)}:policy") >> 225


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
