"""Streams: reproducible, independent, and none moves when another is added."""

import numpy as np
import pytest

from core.errors import OptionError, UnknownNameError
from core.seeding import PRIVATE, SPLITS, PrivateSplit, stream

DRAWN = [PrivateSplit(b"sixteen letters!") if split == PRIVATE else split for split in SPLITS]


def test_same_purpose_same_draws():
    assert (stream("test", 7, "layout").random(8) == stream("test", 7, "layout").random(8)).all()


def test_purposes_seeds_and_splits_are_independent():
    keys = [(split, seed, purpose) for split in DRAWN for seed in range(20) for purpose in ("goal", "layout")]
    first = {tuple(stream(*key).integers(2**63, size=2)) for key in keys}
    assert len(first) == len(keys)


def test_known_value_never_changes():
    """A published result names seeds; what they draw must stay."""
    assert stream("test", 0, "goal").integers(1000, size=4).tolist() == [949, 509, 906, 861]


@pytest.mark.parametrize("seed", [-1, 1.0, True, "0", None])
def test_bad_seeds(seed):
    with pytest.raises(OptionError, match="seed"):
        stream("test", seed, "goal")


def test_unknown_split():
    with pytest.raises(UnknownNameError, match="calibration"):
        stream("dev", 0, "goal")


def test_numpy_integers_are_seeds():
    assert stream("test", np.int64(3), "goal").random() == stream("test", 3, "goal").random()
