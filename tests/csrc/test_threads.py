"""Measuring from several threads: the interpreter's lock is released, and nothing is shared."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from . import worlds
from .test_invariants import random_state

GEOMETRY = worlds.make_geometry()


def batch(seed: int, states: int):
    singles = [random_state(seed + k) for k in range(states)]
    return tuple(np.stack(column) for column in zip(*singles, strict=True))


def test_four_threads_get_what_one_gets():
    jobs = [batch(100 * k, 20) for k in range(8)]
    alone = [GEOMETRY.measure(*job) for job in jobs]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda job: GEOMETRY.measure(*job), jobs * 5))
    for k, result in enumerate(together):
        np.testing.assert_array_equal(result, alone[k % len(jobs)])


def test_the_lock_is_released_while_measuring():
    # A batch that takes a while runs in another thread while this one reads the clock. With the
    # lock held the clock would stand still for as long as the batch takes.
    state = [np.repeat(part, 50000, axis=0) for part in batch(7, 1)]
    took = []

    def work():
        begin = time.perf_counter()
        GEOMETRY.measure(*state)
        took.append(time.perf_counter() - begin)

    worker = threading.Thread(target=work)
    ticks = [time.perf_counter()]
    worker.start()
    while not took:
        ticks.append(time.perf_counter())
    worker.join()
    assert np.diff(ticks).max() < took[0] / 2
