"""Noise that depends on nothing but the episode's seed, the step and the number of the sample."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def noise(seed: int, step: int, shape: tuple[int, ...], sample: int = 0) -> npt.NDArray[np.float32]:
    """Standard normal numbers, float32."""
    return generator(seed, step, sample).standard_normal(shape, dtype=np.float32)


def generator(seed: int, step: int, sample: int = 0) -> np.random.Generator:
    """What one answer's noise is drawn from."""
    return np.random.default_rng([seed, step, sample])


def noises(
    seeds: Sequence[tuple[int, int]], shape: tuple[int, ...], samples: int = 1
) -> npt.NDArray[np.float32]:
    """float32[B, samples, *shape]."""
    return np.stack(
        [np.stack([noise(seed, step, shape, sample) for sample in range(samples)]) for seed, step in seeds]
    )
