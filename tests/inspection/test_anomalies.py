"""Every anomaly is found where it was planted, and nothing in what is sound."""

import numpy as np
import pytest

from bomb.inspection.anomalies import KINDS, anomalies
from bomb.inspection.sources import InspectedEpisode
from core.control.actions import ActionSpec

SPEC = ActionSpec(mode="delta", control_hz=20)
FRAMES = 40


def sound(**changes) -> InspectedEpisode:
    """The tool goes along a line at half speed; every picture is another."""
    t = np.arange(FRAMES, dtype=np.float32)
    states = np.stack([0.4 + 0.01 * t / 4, 0.01 * t, 0.2 + 0 * t, np.ones(FRAMES)], axis=1).astype(np.float32)
    actions = np.tile(np.array([0.125, 0.5, 0.0, 1.0], np.float32), (FRAMES, 1))
    values = {
        "name": "episode 3",
        "states": states,
        "actions": actions,
        "motions": actions,
        "instructions": ("do",),
        "goals": (),
        "pictures": tuple(map(str, range(FRAMES))),
    }
    for name, change in changes.items():
        values[name] = change(values[name])
    values["motions"] = values["actions"]
    return InspectedEpisode(**values)


def put(row: int, column: int, value: float):
    def change(array: np.ndarray) -> np.ndarray:
        array = array.copy()
        array[row, column] = value
        return array

    return change


def jump(states: np.ndarray) -> np.ndarray:
    states = states.copy()
    states[20:, 0] += 0.05
    return states


def freeze(states: np.ndarray) -> np.ndarray:
    states = states.copy()
    # What follows goes on from there: nothing jumps.
    states[10:15] = states[10]
    states[15:, :3] -= states[15, :3] - states[14, :3]
    return states


PLANTED = {
    "nan in a state": ({"states": put(7, 1, np.nan)}, "not finite", 7),
    "infinity in an action": ({"actions": put(9, 0, np.inf)}, "not finite", 9),
    "jump": ({"states": jump}, "jump", 20),
    "frozen state": ({"states": freeze}, "frozen state", 10),
    "frozen pictures": ({"pictures": lambda p: (*p[:30], p[29], p[29], *p[32:])}, "frozen pictures", 29),
    "bad action": ({"actions": put(5, 2, -1.5)}, "action out of bounds", 5),
    "one frame": (
        {"states": lambda s: s[:1], "actions": lambda a: a[:1], "pictures": lambda p: p[:1]},
        "too short",
        None,
    ),
}


@pytest.mark.parametrize(("changes", "kind", "frame"), PLANTED.values(), ids=PLANTED.keys())
def test_what_was_planted_is_found_and_nothing_else(changes, kind, frame):
    (found,) = anomalies(sound(**changes), SPEC)
    assert (found.episode, found.kind, found.frame) == ("episode 3", kind, frame)


def test_a_sound_episode_has_none():
    assert anomalies(sound(), SPEC) == []


def test_waiting_is_not_freezing():
    """The state stays the same while nothing is commanded."""

    def wait(actions: np.ndarray) -> np.ndarray:
        actions = actions.copy()
        actions[10:15, :3] = 0.0
        return actions

    assert anomalies(sound(states=freeze, actions=wait), SPEC) == []


def test_every_kind_is_planted():
    assert {kind for _, kind, _ in PLANTED.values()} == set(KINDS) - {"damaged"}
