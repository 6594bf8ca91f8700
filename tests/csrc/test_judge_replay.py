"""Judging again: from a stored series, from a saved state, and with other tolerances."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from . import worlds
from .episodes import GOAL, LAYOUT, Play, beside
from .test_judge_reasons import EPISODES

ON_GOAL = worlds.on_board(*GOAL)


def eventful() -> Play:
    """An episode in which most things happen: a false start, a drop, a success, and its undoing."""
    play = Play()
    play.hover(1).grasp(2).open().leave()
    play.grasp(0).carry(0, beside(ON_GOAL, z=0.03)).open().put(0, beside(ON_GOAL, x=0.02)).leave()
    play.place(0, beside(ON_GOAL, x=0.004, y=-0.003)).wait()
    return play.brush(0).put(4, worlds.on_board(0, 1)).leave()


def test_a_stored_series_gives_the_same_verdict_at_every_step():
    play = eventful()
    online = Play()
    for k, moment in enumerate(zip(*play.recorded(), strict=True)):
        online.judge.update(*moment)
        times, tools, openings, series = (part[: k + 1] for part in play.recorded())
        assert play.judge.rejudge(times, tools, openings, series) == online.verdict
    assert online.verdict == play.verdict


def test_a_series_written_to_a_file_gives_the_same_verdict():
    play = eventful()
    file = io.BytesIO()
    np.savez(file, *play.recorded())
    file.seek(0)
    with np.load(file) as stored:
        assert play.judge.rejudge(*stored.values()) == play.verdict


def test_rejudging_changes_nothing():
    play = eventful()
    before = play.judge.get_state()
    play.judge.rejudge(*(part[:5] for part in play.recorded()))
    assert play.judge.get_state() == before
    untouched = play.judge.rejudge(*(part[:0] for part in play.recorded()))
    assert untouched == Play().verdict


def test_state_round_trip_at_every_step():
    play = eventful()
    moments = list(zip(*play.recorded(), strict=True))
    for cut in range(0, len(moments), 5):
        first, second = Play().judge, Play().judge
        for moment in moments[:cut]:
            first.update(*moment)
        state = first.get_state()
        second.set_state(state)
        assert second.get_state() == state
        assert second.verdict() == first.verdict()
        for moment in moments[cut:]:
            second.update(*moment)
        assert second.verdict() == play.verdict
        assert second.get_state() == play.judge.get_state()


def test_a_state_brings_its_layout_along():
    # Another engine settles the stones a little elsewhere; the saved episode began where it began.
    play = eventful()
    elsewhere = Play(layout=[beside(place, x=0.0004) for place in LAYOUT])
    elsewhere.judge.set_state(play.judge.get_state())
    assert elsewhere.verdict == play.verdict
    assert elsewhere.judge.get_state() == play.judge.get_state()
    assert elsewhere.judge.rejudge(*play.recorded()) == play.verdict


@pytest.mark.parametrize(
    "other",
    [
        dict(goal=(1, 2)),
        dict(goal_color=2),
        dict(colors=(1, 1, 2, 2, 1)),
        dict(colors=(1, 2), layout=LAYOUT[:2]),
        dict(distance=0.02),
    ],
    ids=str,
)
def test_a_state_of_another_episode_is_refused(other):
    judge = Play(**other).judge
    before = judge.get_state()
    with pytest.raises(ValueError, match="other stones, goal or tolerances"):
        judge.set_state(eventful().judge.get_state())
    assert judge.get_state() == before


def test_a_damaged_state_is_refused():
    play = eventful()
    state, judge = play.judge.get_state(), Play().judge
    before = judge.get_state()
    damaged = [b"", b"BOMB", state[:-1], state + b"\0", state[:20]]
    damaged += [state[:k] + bytes([state[k] ^ 0x41]) + state[k + 1 :] for k in range(0, len(state), 3)]
    for bad in damaged:
        with pytest.raises(ValueError, match=r"^state: "):
            judge.set_state(bad)
    assert judge.get_state() == before
    with pytest.raises(ValueError, match="version 7, this judge reads 4"):
        judge.set_state(state[:8] + b"\x07" + state[9:])
    with pytest.raises(TypeError):
        judge.set_state("not bytes")


GRIP = settings(derandomize=True, deadline=None, max_examples=60, database=None)
LIMITS = ("distance", "tilt", "gap", "speed", "spin", "displacement")
STRICTER_IF_MORE = ("clearance", "rest_time")


@GRIP
@given(
    name=st.sampled_from(sorted(EPISODES)),
    limit=st.sampled_from(LIMITS + STRICTER_IF_MORE),
    scales=st.tuples(st.floats(0.01, 4.0), st.floats(0.01, 4.0)),
)
def test_a_wider_tolerance_never_turns_success_into_failure(name, limit, scales):
    play = Play()
    EPISODES[name][1](play)
    play.leave().wait()
    narrow, wide = sorted(scales, reverse=limit in STRICTER_IF_MORE)
    usual = dict(distance=0.01, tilt=0.17, gap=0.001, clearance=0.001, speed=0.005, spin=0.5, rest_time=0.5)
    base = {**usual, "displacement": 0.01}[limit]
    # No stone may lie on the goal at reset, so the distance stays below the way to the nearest one.
    judges = [play.new_judge(**{limit: base * scale}) for scale in (narrow, wide)]
    strict, lenient = (judge.rejudge(*play.recorded()) for judge in judges)
    assert lenient.success >= strict.success
    assert lenient.success_once >= strict.success_once


@pytest.mark.parametrize(
    ("limit", "fails", "passes", "run"),
    [
        ("distance", 0.0049, 0.0051, lambda p: p.place(0, beside(ON_GOAL, x=0.005))),
        ("gap", 0.0004, 0.0006, lambda p: p.place(0, beside(ON_GOAL, z=0.0005))),
        ("speed", 0.0019, 0.0021, lambda p: p.move(0, speed=0.002).place(0, ON_GOAL)),
        ("spin", 0.19, 0.21, lambda p: p.move(0, spin=0.2).place(0, ON_GOAL)),
        ("rest_time", 0.61, 0.59, lambda p: p.put(0, ON_GOAL).wait(0.6)),
        ("displacement", 0.0029, 0.0031, lambda p: p.put(3, beside(LAYOUT[3], y=0.003)).place(0, ON_GOAL)),
        ("clearance", 0.0014, 0.0012, lambda p: p.put(0, ON_GOAL).reach(ON_GOAL, 0.022 + 2 * 0.0013).wait()),
    ],
)
def test_each_limit_is_where_it_says(limit, fails, passes, run):
    play = Play()
    run(play)
    for value, expected in ((fails, False), (passes, True)):
        assert play.new_judge(**{limit: value}).rejudge(*play.recorded()).success == expected
