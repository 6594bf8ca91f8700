"""Processes that work off jobs: answers, deaths, errors."""

import os
import signal
from functools import partial

import pytest

from bomb.processes.workers import Workers
from core.errors import BombError, OptionError


class Squarer:
    """Squares; dies of 13, refuses 14, breaks at 15."""

    def __call__(self, job: int) -> int:
        if job == 13:
            os.kill(os.getpid(), signal.SIGKILL)
        if job == 14:
            raise OptionError("14 is not allowed")
        if job == 15:
            raise RuntimeError("broken")
        return job * job


def unwilling():
    raise OptionError("no squares today")


@pytest.fixture
def make_pool():
    pools = []

    def make(work=Squarer, count=2) -> Workers:
        pools.append(Workers(work, count))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


def everything(pool: Workers, jobs: list[int]) -> dict:
    answers, waiting = {}, jobs[::-1]
    while waiting or pool.busy:
        while waiting and pool.free:
            pool.submit(waiting.pop())
        answers |= {answer.job: answer for answer in pool.wait()}
    return answers


def test_every_job_has_its_answer(make_pool):
    answers = everything(make_pool(), list(range(10)))
    assert {job: answer.result for job, answer in answers.items()} == {k: k * k for k in range(10)}
    assert all(answer.death is None for answer in answers.values())


@pytest.mark.timeout(60)
def test_jobs_and_answers_larger_than_a_pipe(make_pool):
    answers = everything(make_pool(partial(partial, bytes.upper), count=1), [bytes(4_000_000)] * 3)
    assert [len(answer.result) for answer in answers.values()] == [4_000_000]


def test_a_death_is_told_and_the_others_go_on(make_pool):
    answers = everything(make_pool(count=1), [1, 13, 2, 3])
    assert answers[13].death == "was ended by SIGKILL" and answers[13].begun
    assert answers[2].death and not answers[2].begun  # it was waiting in the process that died
    assert answers[1].result == 1 and answers[3].result == 9


@pytest.mark.parametrize(
    ("work", "job", "words"),
    [
        (Squarer, 14, "^14 is not allowed$"),
        (Squarer, 15, "a worker failed:(.|\n)*RuntimeError: broken"),
        (partial(unwilling), 1, "no squares today"),
    ],
)
def test_what_the_work_raises_is_raised_here(make_pool, work, job, words):
    pool = make_pool(work, 1)
    pool.submit(job)
    with pytest.raises(BombError, match=words):
        pool.wait()
