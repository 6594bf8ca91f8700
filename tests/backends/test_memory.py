"""Nothing leaks: long runs and many environments cost what they should."""

import gc
import os

import pytest

import core
from benchmarks.reset_and_memory import cycles_mb
from tests.conftest import wave

MEGABYTE = 2**20


def resident() -> float:
    """Resident memory of this process, in MB."""
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MEGABYTE


def test_resets_and_steps_leave_nothing_behind(backend, make_env):
    """Three hundred resets and as many episodes' worth of steps: a leak of 27 kB a reset shows."""
    env = make_env(backend, max_steps=10_000)
    for seed in range(50):
        env.reset(seed=seed)
        env.step(wave(seed))
    before = resident()
    for seed in range(300):
        env.reset(seed=seed)
        for step in range(6):
            env.step(wave(step))
    assert resident() - before < 8


@pytest.mark.parametrize("count", [8])
def test_one_more_environment_costs_less_than_ten_megabytes(backend, make_env, count):
    make_env(backend).reset(seed=0)
    before = resident()
    for seed in range(count):
        make_env(backend).reset(seed=seed)
    assert (resident() - before) / count < 10


@pytest.mark.render
@pytest.mark.parametrize("cameras", [("head",), ("head", "front", "wrist")], ids=len)
def test_renderers_that_were_closed_leave_little(backend, cameras):
    """A sample of ``cycles_mb``: of 8 MB that every renderer leaves behind, 40 would be seen."""
    assert cycles_mb(backend, cameras, cycles=5) < 20


def test_sixty_environments_that_were_closed_leave_nothing(backend):
    def cycle(seed: int) -> None:
        env = core.make_task(backend=backend, cameras=(), split="ci")
        env.reset(seed=seed)
        env.step(wave(seed))
        env.close()

    for seed in range(10):
        cycle(seed)
    before = resident()
    for seed in range(60):
        cycle(seed)
    assert resident() - before < 10
