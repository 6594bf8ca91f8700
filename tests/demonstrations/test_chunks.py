"""Chunks of actions: what followed a moment, and standing still after the end."""

import numpy as np
import pytest

from bomb.demonstrations.chunks import held


@pytest.mark.parametrize("mode", ["delta", "absolute"])
def test_chunks_are_what_followed_and_stand_still_after_the_end(mode):
    actions = np.random.default_rng(0).uniform(-1, 1, (12, 4)).astype(np.float32)
    assert held(actions, 8, mode).dtype == np.float32
    np.testing.assert_array_equal(held(actions, 8, mode), actions[:8])
    last = held(actions[-2:], 8, mode)
    np.testing.assert_array_equal(last[:2], actions[-2:])
    still = np.zeros(3) if mode == "delta" else actions[-1, :3]
    np.testing.assert_array_equal(last[2:], np.tile([*still, actions[-1, 3]], (6, 1)).astype(np.float32))
