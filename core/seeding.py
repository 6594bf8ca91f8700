"""One seed, many independent named streams.

Every purpose (goal, layout, phrasing, each perturbation by name) draws from a generator of its own,
so adding one changes no other draw. The split is part of every stream: a seed of the ``train`` split
shares nothing with the same seed of ``test``.
"""

import zlib
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import numpy as np

from core.errors import OptionError, check_choice, check_integer

Item = TypeVar("Item")

# Version of what seeds draw: raised whenever a (task, split, seed) becomes another episode, or a policy gets
# another seed in it. It stands among the versions of every run and dataset, so that none is continued with
# other episodes than it was begun with.
DRAWS = 3

# Parity, calibration and continuous integration use splits of their own, so that no number is
# reported on seeds that something was tuned on.
SPLITS: dict[str, int] = {"test": 0, "train": 1, "validation": 2, "calibration": 3, "parity": 4, "ci": 5}
PRIVATE = "private"
SPLITS[PRIVATE] = 6  # drawn with a secret besides, see `PrivateSplit`
LEAST_SALT = 16  # bytes


LARGEST_SEED = 2**63 - 1  # what files, databases and protocols hold in 64 bits


class PrivateSplit(str):
    """The split ``"private"`` with the salt that its scenes are drawn from.

    It is the text ``"private"`` wherever it is compared, printed or written down: the salt is in memory only,
    and travels with the split to worker processes. Who does not have it cannot draw the scenes.

    Args:
        salt: the secret, at least 16 bytes.

    Attributes:
        salt: the same.
        salt_sha256: what results say of it, in hexadecimal. Scenes are drawn from another hash.

    Raises:
        OptionError: if the salt is too short to be a secret.
    """

    salt: bytes
    salt_sha256: str

    def __new__(cls, salt: bytes) -> "PrivateSplit":
        if len(salt) < LEAST_SALT:
            raise OptionError(f"a salt must have at least {LEAST_SALT} bytes, this one has {len(salt)}")
        split = super().__new__(cls, PRIVATE)
        split.salt, split.salt_sha256 = salt, sha256(salt).hexdigest()
        return split

    def __reduce__(self) -> tuple[type["PrivateSplit"], tuple[bytes]]:
        return PrivateSplit, (self.salt,)

    @classmethod
    def read(cls, file: Path) -> "PrivateSplit":
        """The split of a salt in a file; white space around it does not count.

        Raises:
            OptionError: if the file cannot be read, or its salt is too short.
        """
        try:
            return cls(Path(file).read_bytes().strip())
        except OSError as error:
            raise OptionError(f"the salt {str(file)!r} cannot be read: {error.strerror}") from error


def check_split(split: str) -> str:
    """Returns a split that scenes can be drawn from.

    Raises:
        UnknownNameError: if it does not exist.
        OptionError: if it is ``"private"`` without a salt.
    """
    check_choice("split", split, SPLITS)
    if split == PRIVATE and not isinstance(split, PrivateSplit):
        raise OptionError("the split 'private' is drawn from a salt: give it (--salt FILE, PrivateSplit)")
    return split


def check_seed(seed: object) -> int:
    """A seed as a plain ``int``.

    Raises:
        OptionError: if it is not an integer from 0 to 2^63 - 1.
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
        OptionError: if the split is private and has no salt; if the seed is negative, no integer, or has more
            than 63 bits.
    """
    key = [SPLITS[check_split(split)], check_seed(seed), zlib.crc32(purpose.encode())]
    if isinstance(split, PrivateSplit):
        secret = sha256(b"bomb scenes:" + split.salt).digest()
        key += np.frombuffer(secret, "<u4").tolist()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))


def policy_seed(split: str, seed: int) -> int:
    """The seed that a policy gets for its own randomness in an episode: 0 <= policy seed < 2**31.

    The first 31 bits of a SHA-256 of (split, seed, "policy"): the same for everybody who plays the episode,
    and no number from which the scene can be drawn again. Nothing else that names the scene reaches a policy.

    Raises:
        UnknownNameError, OptionError: as ``stream``.
    """
    split = check_split(split)
    secret = split.salt.hex() if isinstance(split, PrivateSplit) else ""
    return _hashed(f"{SPLITS[split]}:{check_seed(seed)}:policy{secret}") >> 225


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
