"""Measuring from several threads: the interpreter's lock is released, and nothing is shared."""

import threading
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
    # A batch that takes a while runs in another thread while this one counts. With the lock held this thread
    # would stand still for as long as the batch takes; a busy machine may do that to it once, not ten times.
    state = [np.repeat(part, 50000, axis=0) for part in batch(7, 1)]

    def counted_on() -> bool:
        begun, ended, counts = threading.Event(), threading.Event(), [0]

        def work():
            begun.set()
            GEOMETRY.measure(*state)
            ended.set()

        worker = threading.Thread(target=work)
        worker.start()
        begun.wait()
        while not ended.is_set():
            counts[0] += 1
        worker.join()
        return counts[0] > 100

    assert any(counted_on() for _ in range(10))
