"""What remains of an episode: everything needed to judge it again, in about 20 kB."""

import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.episode.archive import read_archive
from core.episode.packing import pack, unpack
from core.errors import StateError
from core.judge.checker import MEASURE_DTYPE, NOT_HELD, TOUCHES, Tolerances, Verdict
from core.judge.move_judge import MoveJudge, whole_verdict

FORMAT = 3
# Records of format 2 were made before contact between control steps was looked at. Their measures lack the
# fields from ``high`` on, and with them which face a pad touched with: there, touched by both pads is held.
WITHOUT_SWEEPS = 2
_FIELDS = list(MEASURE_DTYPE.fields or ())
_FIELDS_2 = _FIELDS[: _FIELDS.index("high")]
_MEASURE_2 = np.dtype([(name, MEASURE_DTYPE[name]) for name in _FIELDS_2])
_BOTH_PADS = TOUCHES["left_pad"] | TOUCHES["right_pad"]


@dataclass(frozen=True, kw_only=True, eq=False)
class EpisodeRecord:
    """The series of measures of one episode, with what the judge was asked.

    Row 0 is the reset; then one row per control step, the final hold included. Stones that an opponent set
    in the course of the episode have columns too; before that their measures are all zero.

    Attributes:
        about: plain values: task, backend, split, seed, goal, instruction, board size and pitch,
            tolerances, verdict, moves; ``segments`` has for each move that was begun its first row, its last
            (None: the end), the columns of the stones then in play, and what its judges were asked.
        colors: uint8[S], 1 black, 2 white.
        times: float64[T], seconds since reset.
        tools: float32[T, 3], tool centre point in the board frame (m).
        openings: float32[T], gripper opening, 0..1.
        measures: array[T, S] of ``MEASURE_DTYPE``.
        actions: float32[N, 4], as executed.
        swept: whether contact between control steps was looked at; only of old records it was not.
    """

    about: dict[str, Any]
    colors: npt.NDArray[np.uint8]
    times: npt.NDArray[np.float64]
    tools: npt.NDArray[np.float32]
    openings: npt.NDArray[np.float32]
    measures: npt.NDArray[np.void]
    actions: npt.NDArray[np.float32]
    swept: bool = True

    def rejudge(self, tolerances: Tolerances | None = None) -> Verdict:
        """Judges the series again; without ``tolerances`` with those it was judged with.

        Returns:
            The verdict of the first move that fails, else of the last.
        """
        tolerances = tolerances or Tolerances(**self.about["tolerances"])
        for segment in self.about["segments"]:
            verdict = self._rejudge(segment, tolerances)
            if not verdict.success:
                break
        moves = self.about["moves"]
        return whole_verdict(verdict, complete=moves["complete"], moves=moves["total"])

    def _rejudge(self, segment: dict[str, Any], tolerances: Tolerances) -> Verdict:
        begin, end, columns = segment["begin"], segment["end"], segment["stones"]
        judge = MoveJudge(
            segment["goals"],
            size=self.about["board_size"],
            pitch=self.about["pitch"],
            colors=self.colors[columns],
            layout=np.ascontiguousarray(self.measures[begin, columns]),
            tool_position=self.tools[begin],
            tolerances=tolerances,
        )
        rows = slice(begin + 1, None if end is None else end + 1)
        measures = np.ascontiguousarray(self.measures[rows][:, columns])
        return judge.rejudge(self.times[rows], self.tools[rows], self.openings[rows], measures)

    def to_bytes(self) -> bytes:
        """A compressed NumPy archive; stones that rest cost next to nothing."""
        buffer = io.BytesIO()
        form, measures = FORMAT, self.measures
        if not self.swept:
            form, measures = WITHOUT_SWEEPS, _old_measures(measures)
        np.savez_compressed(
            buffer,
            about=np.frombuffer(json.dumps({"format": form, **self.about}).encode(), np.uint8),
            colors=self.colors,
            times=self.times,
            tools=self.tools,
            openings=self.openings,
            measures=pack(measures),
            actions=self.actions,
        )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> "EpisodeRecord":
        """Inverse of ``to_bytes``.

        Raises:
            StateError: if the bytes are no record or one of another format.
        """
        try:
            arrays = read_archive(data)
            about = json.loads(arrays.pop("about").tobytes())
        except (ValueError, KeyError, RecursionError) as error:
            raise StateError(f"not an episode record: {error}") from error
        form = about.pop("format", None) if isinstance(about, dict) else None
        if form not in (WITHOUT_SWEEPS, FORMAT):
            raise StateError(f"episode record is not of format {FORMAT} or {WITHOUT_SWEEPS}")
        missing = {"colors", "times", "tools", "openings", "measures", "actions"} - arrays.keys()
        if missing or arrays["measures"].ndim != 3 or arrays["measures"].dtype != np.uint8:
            raise StateError(
                f"episode record is damaged: it lacks {', '.join(sorted(missing)) or 'measures'}"
            )
        if form == FORMAT:
            measures = unpack("measures", arrays.pop("measures"), MEASURE_DTYPE)
        else:
            measures = _new_measures(unpack("measures", arrays.pop("measures"), _MEASURE_2))
        return cls(about=about, measures=measures, swept=form == FORMAT, **arrays)


def _new_measures(old: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """Measures of format 2 in the present layout."""
    new = np.zeros(old.shape, MEASURE_DTYPE)
    for name in _FIELDS_2:
        new[name] = old[name]
    held = (old["touches"] & _BOTH_PADS) == _BOTH_PADS
    new["touches"] |= np.where(held, TOUCHES["held"], 0).astype(np.uint8)
    new["since"], new["pinched"] = new["touches"], held
    new["high"] = np.where(held, old["low"], np.float32(NOT_HELD))
    return new


def _old_measures(new: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """Inverse of ``_new_measures``."""
    old = np.zeros(new.shape, _MEASURE_2)
    for name in _FIELDS_2:
        old[name] = new[name]
    old["touches"] &= ~np.uint8(TOUCHES["held"])
    return old
