"""What should not be in a demonstration: values that are no numbers, jumps, frozen frames, bad actions."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from bomb.inspection.sources import InspectedEpisode
from bomb.statistics.formats import fixed
from core.control.actions import ActionSpec

# The arm lags behind its target and catches up: a step of the measured tool may be so many times the longest
# commanded one. In episodes of both engines it was at most 1.02 times.
JUMP = 1.5
# So many equal frames in a row, while motion is commanded, are frozen; the arm sets out within two.
FROZEN_FRAMES = 4
COMMANDED = 0.2  # share of full speed that counts as commanded motion
MOVED = 1e-3  # m between frames, beyond which pictures must differ

KINDS = {
    "not finite": "a state or an action holds NaN or infinity",
    "jump": f"the tool moved more than {JUMP:g} times as far as one action may command",
    "frozen state": f"the state stayed the same to the last bit for {FROZEN_FRAMES} frames or more, while "
    "motion was commanded",
    "frozen pictures": "pictures are equal byte for byte, while the tool moved more than 1 mm",
    "action out of bounds": "an action lies outside of its declared box",
    "too short": "fewer than two frames",
    "damaged": "the file cannot be read",
}


@dataclass(frozen=True, kw_only=True)
class Anomaly:
    """Something that should not be.

    Attributes:
        episode: its name.
        kind: out of ``KINDS``.
        frame: where it begins; None: in the episode as a whole.
        words: what was found.
    """

    episode: str
    kind: str
    frame: int | None
    words: str


def anomalies(episode: InspectedEpisode, spec: ActionSpec) -> list[Anomaly]:
    """Everything that is found in one episode, one of each kind per run of frames."""
    found: list[Anomaly] = []

    def say(kind: str, frame: int | None, words: str) -> None:
        found.append(Anomaly(episode=episode.name, kind=kind, frame=frame, words=words))

    states, actions = episode.states, episode.actions
    if len(actions) < 2 and not episode.apart:
        say("too short", None, f"{len(actions)} frames")
    for name, values in (("state", states), ("action", actions)):
        bad = ~np.isfinite(values).all(axis=1)
        for start, length in _runs(np.asarray(bad)):
            entry = values[start].tolist()
            say("not finite", start, f"{name} {entry}, {length} frames")
    if found:
        return found
    if not episode.apart:
        _check_motion(episode, spec, say)
    outside = np.any((actions < spec.low - 1e-6) | (actions > spec.high + 1e-6), axis=1)
    for start, length in _runs(np.asarray(outside)):
        say("action out of bounds", start, f"{actions[start].round(3).tolist()}, {length} frames")
    return found


def _check_motion(episode: InspectedEpisode, spec: ActionSpec, say: Callable[[str, int, str], None]) -> None:
    """What is seen only of frames that follow one another."""
    states = episode.states
    steps = np.abs(np.diff(states[:, :3], axis=0)).max(axis=1)
    for start, length in _runs(steps > JUMP * spec.max_step):
        jump = float(steps[start : start + length].max())
        say("jump", start + 1, f"{fixed(jump * 1e3, 0, 'mm')} along an axis in one frame")
    moving = np.abs(episode.motions[:, :3]).max(axis=1) > COMMANDED
    still = (np.diff(states, axis=0) == 0).all(axis=1)
    for start, length in _runs(still & moving[:-1]):
        if length + 1 >= FROZEN_FRAMES:
            say("frozen state", start, f"{length + 1} frames")
    if episode.pictures:
        same = np.array([a == b for a, b in pairwise(episode.pictures)], dtype=np.bool_)
        far: npt.NDArray[np.float64] = np.linalg.norm(np.diff(states[:, :3], axis=0), axis=1)
        for start, length in _runs(same & (far > MOVED)):
            say("frozen pictures", start, f"{length + 1} frames")


def _runs(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(first, length) of every stretch of true flags."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(begin), int(end - begin)) for begin, end in zip(edges[::2], edges[1::2], strict=True)]
