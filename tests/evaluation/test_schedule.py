"""Which worker plays what."""

from collections import Counter

from bomb.evaluation import schedule as module
from bomb.evaluation.matrix import ConditionPlan
from bomb.evaluation.schedule import Schedule
from bomb.runs.rows import Condition
from core.settings import EnvironmentSettings


def plan(key: str, episodes: int) -> ConditionPlan:
    condition = Condition(key=key, task="t", backend="b", split="ci")
    return ConditionPlan(
        condition=condition, environment=EnvironmentSettings(backend="mujoco"), seeds=tuple(range(episodes))
    )


def test_workers_stay_with_their_condition_and_help_at_the_end():
    schedule = Schedule([plan("a", 5), plan("b", 2)], set(), 0)
    order = [schedule.next(worker) for worker in (0, 1, 0, 1, 0, 1, 0)]
    assert [job.condition for job in order] == ["a", "b", "a", "b", "a", "a", "a"]
    for key, seeds in (("a", range(5)), ("b", range(2))):
        played = [job.seed for job in order if job.condition == key]
        assert sorted(played) == list(seeds)
        assert all(place != seed for place, seed in enumerate(played))  # the order does not tell the seed
    assert schedule.next(0) is None and schedule.left == 7
    for job in order:
        schedule.played(job)
    assert schedule.left == 0


def test_what_is_there_is_not_played_again():
    schedule = Schedule([plan("a", 3)], {("a", 0), ("a", 2)}, 0)
    assert schedule.left == 1 and schedule.next(0).seed == 1 and schedule.next(0) is None


def test_a_run_that_is_taken_up_again_goes_on_in_the_same_order():
    def order(key: str, finished: set) -> list[int]:
        schedule = Schedule([plan(key, 40)], finished, 0)
        return [schedule.next(0).seed for _ in range(schedule.left)]

    first = order("a", set())
    assert order("a", {("a", seed) for seed in first[:25]}) == first[25:]
    assert order("b", set()) != first


def test_errors_come_back_later_and_not_for_ever(monkeypatch):
    monkeypatch.setattr(module, "PAUSE_S", 0.0)
    schedule = Schedule([plan("a", 1)], set(), 2, Counter({("a", 0): 4}))
    attempts = []
    for again in (True, True, False):
        job = schedule.next(0)
        attempts.append(job.attempt)
        assert schedule.failed(job) is again
    assert attempts == [5, 6, 7] and schedule.left == 0


def test_a_retry_waits(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    schedule = Schedule([plan("a", 1)], set(), 1)
    schedule.failed(schedule.next(0))
    assert schedule.next(0) is None and schedule.left == 1
    now[0] += module.PAUSE_S
    assert schedule.next(0).attempt == 2
