"""How chunks are executed."""

import numpy as np
import pytest

from bomb.rollouts.chunks import ChunkExecution, weighted_median
from core.errors import OptionError


def chunk(k: int, start: int = 0) -> np.ndarray:
    """Action j says ``start + j`` on every axis, and closes the gripper from the second on."""
    actions = np.tile(np.arange(start, start + k, dtype=np.float32)[:, None], (1, 4))
    actions[:, 3] = [1.0, *[0.0] * (k - 1)]
    return actions


@pytest.mark.parametrize(
    ("words", "k", "executed"),
    [
        ("full", 5, 5),
        ("half", 5, 3),
        ("half", 1, 1),
        ("first", 5, 1),
        ("3", 5, 3),
        ("8", 5, 5),
        ("ensemble", 5, 1),
    ],
)
def test_how_much_is_executed(words, k, executed):
    actions = ChunkExecution.parse(words).begin().take(chunk(k), 0)
    assert np.array_equal(actions, chunk(k)[:executed])


def test_the_ensemble_is_the_weighted_mean_of_what_was_said_about_a_step():
    ensemble = ChunkExecution.parse("ensemble(0.5)").begin()
    ensemble.take(np.full((3, 4), 1.0, dtype=np.float32), 0)
    ensemble.take(np.full((3, 4), 2.0, dtype=np.float32), 1)
    action = ensemble.take(np.full((3, 4), 6.0, dtype=np.float32), 2)
    weights = np.exp([0.0, -0.5, -1.0])  # the oldest first
    assert action.shape == (1, 4) and action.dtype == np.float32
    assert action[0, 0] == pytest.approx(weights @ [1, 2, 6] / weights.sum())
    # The first chunk says nothing about step 3.
    action = ensemble.take(np.full((3, 4), 6.0, dtype=np.float32), 3)
    assert action[0, 0] == pytest.approx(weights @ [2, 6, 6] / weights.sum())


def test_the_ensemble_never_half_closes_the_gripper():
    ensemble = ChunkExecution.parse("ensemble").begin()
    said = [ensemble.take(chunk(4), step)[0, 3] for step in range(8)]
    assert said == [1.0, *[0.0] * 7]
    assert weighted_median(np.array([1.0, 0.2, 0.6]), np.array([1.0, 1.0, 1.0])) == pytest.approx(0.6)
    assert weighted_median(np.array([1.0, 0.0]), np.array([3.0, 1.0])) == 1.0


def test_another_move_forgets_what_was_predicted():
    ensemble = ChunkExecution.parse("ensemble").begin()
    ensemble.take(np.full((9, 4), 5.0, dtype=np.float32), 0)
    ensemble.drop()
    assert ensemble.take(np.full((9, 4), 1.0, dtype=np.float32), 1)[0, 0] == 1.0


@pytest.mark.parametrize("words", ["", "whole", "0", "-3", "ensemble(x)", "1.5"])
def test_other_words_are_refused(words):
    with pytest.raises(OptionError, match="full, half, first, ensemble, ensemble"):
        ChunkExecution.parse(words)
