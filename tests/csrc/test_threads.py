"""Measuring from several threads: the interpreter's lock is released, and nothing is shared."""

import sys
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


def test_what_another_thread_writes_meanwhile_does_not_matter():
    """The values that were checked are those that are used: the arrays are copied before the lock goes."""
    state = [np.repeat(part, 3000, axis=0) for part in batch(7, 1)]
    expected = GEOMETRY.measure(*state)
    overlapped = 0
    for _ in range(20):
        arrays, found = [part.copy() for part in state], []

        def work(arrays=arrays, found=found):
            try:
                found.append(GEOMETRY.measure(*arrays))
            except ValueError:
                found.append(None)  # overwritten before the call had begun

        worker = threading.Thread(target=work)
        worker.start()
        time.sleep(0.002)
        overlapped += worker.is_alive()
        for part in arrays:
            part[:] = np.nan
        worker.join()
        assert found[0] is None or found[0].tobytes() == expected.tobytes()
    assert overlapped


def counts_during(work) -> int:
    """How far this thread counts while another one does ``work``."""
    begun, ended, count = threading.Event(), threading.Event(), 0

    def run():
        begun.set()
        work()
        ended.set()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # else a held lock is still handed over for milliseconds, before and after
    try:
        worker = threading.Thread(target=run)
        worker.start()
        begun.wait()
        while not ended.is_set():
            count += 1
        worker.join()
    finally:
        sys.setswitchinterval(interval)
    return count


def test_the_lock_is_released_while_measuring():
    state = [np.repeat(part, 50000, axis=0) for part in batch(7, 1)]
    held = min(counts_during(lambda: sum(range(10_000_000))) for _ in range(5))
    free = min(counts_during(lambda: GEOMETRY.measure(*state)) for _ in range(5))
    assert free > 20 * held
