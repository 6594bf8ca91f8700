"""The fingerprint of a machine: the same twice, other where something is other, kept for runs."""

import numpy as np
import pytest

from bomb.disk.files import write_json
from bomb.machine import fingerprint, kept_fingerprints
from bomb.machine.fingerprint import CAMERAS, FAR, FRAMES, SIZE, as_reference, compared, play, to_dict
from bomb.machine.kept_fingerprints import keep, kept_fingerprint
from bomb.machine.provenance import hardware

FRAME = np.full((len(FRAMES), len(CAMERAS), SIZE, SIZE, 3), 100, dtype=np.uint8)
PIXELS = SIZE * SIZE


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """A reference of an engine that nobody has."""
    file = tmp_path / "reference.json"
    write_json(file, as_reference({"toy": ("abc", FRAME)}))
    monkeypatch.setattr(fingerprint, "REFERENCE", file)


def test_what_is_as_stored_says_so(stored):
    found = compared("toy", "abc", FRAME)
    assert found.same_states is True and found.same_pictures is True and found.mean_off == 0


def test_one_bit_of_a_state_is_other(stored):
    assert compared("toy", "abd", FRAME).same_states is False


@pytest.mark.parametrize(
    ("share", "by", "same"), [(1.0, 1, True), (1.0, 2, False), (0.005, FAR + 1, True), (0.02, FAR + 1, False)]
)
def test_pictures_are_compared_within_tolerances(stored, share, by, same):
    frames = FRAME.copy()
    frames[2, 1].reshape(PIXELS, 3)[: round(share * PIXELS)] += by
    assert compared("toy", "abc", frames).same_pictures is same


def test_other_versions_have_no_reference(stored, monkeypatch):
    monkeypatch.setattr(fingerprint, "physical_versions", lambda: {"mujoco": "1.50"})
    found = compared("toy", "abc", FRAME)
    assert found.same_states is None and found.same_pictures is None


def test_a_run_finds_what_was_taken_on_its_machine_with_its_versions(tmp_path, monkeypatch):
    monkeypatch.setenv("BOMB_CACHE", str(tmp_path))
    assert kept_fingerprint(cpu="8086", device="Voodoo 2") is None
    found = to_dict(compared("toy", "abc", FRAME))
    keep("toy", found, cpu="8086", device="Voodoo 2")
    whole = kept_fingerprint(cpu="8086", device="Voodoo 2")
    assert whole["toy"]["states"] == "abc" and whole["toy"]["pictures"] == found["pictures"]
    assert "pictures" not in kept_fingerprint(cpu="8086", device=None)["toy"]
    assert "pictures" not in kept_fingerprint(cpu="8086", device="another")["toy"]
    assert kept_fingerprint(cpu="another", device="Voodoo 2") is None
    monkeypatch.setattr(kept_fingerprints, "physical_versions", lambda: {"mujoco": "1.50"})
    assert kept_fingerprint(cpu="8086", device="Voodoo 2") is None


def test_a_damaged_cache_is_no_reason_not_to_play(tmp_path, monkeypatch):
    monkeypatch.setenv("BOMB_CACHE", str(tmp_path))
    (tmp_path / kept_fingerprints.FILE).write_text("{")
    assert hardware(renders=False)["fingerprint"] is None


@pytest.mark.render
def test_an_engine_makes_the_same_of_it_twice():
    (states, frames), (again, same) = play("mujoco"), play("mujoco")
    assert states == again and np.array_equal(frames, same)
    assert frames.shape == FRAME.shape and frames.std() > 10
    assert abs(frames[0].astype(int) - frames[-1]).mean() > 1  # something happens in it
