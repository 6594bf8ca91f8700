"""Records from before contact between control steps was recorded: read, judged, and said to be so."""

import io
import json

import numpy as np

import core
from core.episode.packing import pack, unpack
from core.episode.record import EpisodeRecord
from core.judge.checker import MEASURE_DTYPE, TOUCHES
from tests.conftest import play

BOTH_PADS = TOUCHES["left_pad"] | TOUCHES["right_pad"]


def old_bytes(record: EpisodeRecord) -> bytes:
    """The record as format 2 had it: rows of 68 bytes, without what they did not know."""
    fields = list(MEASURE_DTYPE.fields)
    dtype = np.dtype([(name, MEASURE_DTYPE[name]) for name in fields[: fields.index("high")]])
    assert dtype.itemsize == 68
    measures = np.zeros(record.measures.shape, dtype)
    for name in dtype.names:
        measures[name] = record.measures[name]
    measures["touches"] &= 127
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        about=np.frombuffer(json.dumps({"format": 2, **record.about}).encode(), np.uint8),
        measures=pack(measures),
        **{name: getattr(record, name) for name in ("colors", "times", "tools", "openings", "actions")},
    )
    assert unpack("measures", pack(measures), dtype).tobytes() == measures.tobytes()
    return buffer.getvalue()


def test_an_old_record_is_read_and_judged_by_what_it_knows():
    with core.make_task(backend="mujoco", cameras=(), split="ci") as env:
        play(env, seed=2, steps=60)
        record, success = env.episode_record(), env.info()["success"]
    old = EpisodeRecord.from_bytes(old_bytes(record))
    assert record.swept and not old.swept
    assert not old.measures["swept"].any() and record.measures["swept"].any()
    held = (old.measures["touches"] & BOTH_PADS) == BOTH_PADS
    assert held.any() and (((old.measures["touches"] & TOUCHES["held"]) != 0) == held).all()
    verdict = old.rejudge()
    assert verdict.success == success and verdict.stage_dict()["grasped"] and verdict.stage_dict()["lifted"]
    again = EpisodeRecord.from_bytes(old.to_bytes())
    assert not again.swept and again.rejudge() == verdict
