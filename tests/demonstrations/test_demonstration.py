"""The native format: nothing is lost, nothing foreign or damaged is taken for an episode."""

import json
from dataclasses import replace

import numpy as np
import pytest

from bomb.collecting.recording import Recorder, record_episode
from bomb.demonstrations.dataset import Dataset
from bomb.demonstrations.demonstration import Demonstration
from bomb.disk.files import FileError
from bomb.policies.expert import Expert
from core.errors import StateError


class Keeper(Recorder):
    """Keeps what went by, to be compared with what was recorded."""

    def __init__(self):
        super().__init__()
        self.rows = []

    def __call__(self, env, info):
        super().__call__(env, info)
        self.rows.append((env.scene_state, env.observe(), env.move.instruction))


@pytest.mark.parametrize("task", ["place_stone", "tic_tac_toe"])
def test_every_state_comes_back_to_the_last_bit(make_env, backend, task):
    env, keeper = make_env(backend, task=task, stop_on_success=True), Keeper()
    made = record_episode(env, Expert(), 1, keeper)
    read = Demonstration.from_bytes(made.to_bytes())
    assert read.to_bytes() == made.to_bytes()
    assert read.about == made.about and read.about["verdict"]["success"]
    assert read.length == len(keeper.rows) - 1 == len(read.actions)
    for t, (state, observation, instruction) in enumerate(keeper.rows):
        assert read.world(t) == state
        assert (read.observations[t] == observation["state"]).all()
        if t < read.length:
            k = read.instruction_index[t]
            assert read.instructions[k] == instruction.text
            spans = {name: span.__dict__ for name, span in instruction.spans.items()}
            assert read.about["spans"][k] == spans
    if task == "tic_tac_toe":
        assert read.first_rows.max() > 0 and len(set(read.instruction_index.tolist())) > 1
    assert len(made.to_bytes()) < 60 * made.length + 40_000


def test_rows_that_are_not_there_are_refused(mixed):
    one = next(iter(mixed))
    assert len(list(one.worlds())) == one.length + 1
    for t in (-1, one.length + 1):
        with pytest.raises(IndexError, match=f"from 0 to {one.length}"):
            one.world(t)


def test_bytes_that_are_cut_changed_or_foreign_are_refused(mixed):
    seed = mixed.seeds()[0]
    whole = mixed.episode_file(seed).read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 1):
        with pytest.raises(StateError, match="not a demonstration"):
            Demonstration.from_bytes(whole[:size])
    for place in range(200, len(whole) - 200, len(whole) // 40):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        try:
            same = Demonstration.from_bytes(bytes(damaged))
        except StateError:
            continue
        # Some bytes of the container say nothing; then nothing may have changed.
        assert same.fingerprint() == mixed.load(seed).fingerprint()


def test_an_edited_episode_is_told_from_a_whole_one(mixed):
    one = mixed.load(mixed.seeds()[0])
    edited = [
        replace(one, actions=one.actions + np.float32(0.01)),
        replace(one, about={**one.about, "seed": one.seed + 1}),
        replace(one, instructions=["place a stone somewhere", *one.instructions[1:]]),
    ]
    for other in edited:
        with pytest.raises(StateError, match="fingerprint"):
            Demonstration.from_bytes(other.to_bytes())
    with pytest.raises(StateError, match=r"actions is float32\[\d+, 3\], must be float32\[\d+, 4\]"):
        replace(one, actions=one.actions[:, :3]).validated()
    with pytest.raises(StateError, match="observations has values that are not finite"):
        replace(one, observations=one.observations * np.nan).validated()


def test_a_dataset_refuses_what_is_not_its_own(mixed, tmp_path):
    copy = tmp_path / "copy"
    (copy / "episodes").mkdir(parents=True)
    first, second = mixed.seeds()[:2]
    (copy / "dataset.json").write_text((mixed.path / "dataset.json").read_text())
    (copy / "episodes" / f"episode_{first:06d}.npz").write_bytes(mixed.episode_file(second).read_bytes())
    with pytest.raises(FileError, match=rf"episode_{first:06d}.npz holds an episode of seed {second}, not"):
        Dataset.open(copy).load(first)
    with pytest.raises(FileError, match=r"does not exist; .* has 1 demonstrations, of seeds"):
        Dataset.open(copy).load(99)
    (copy / "episodes" / "thesis.npz").write_bytes(b"dear")
    with pytest.raises(FileError, match=r"thesis.npz is not an episode"):
        Dataset.open(copy).seeds()
    text = json.loads((copy / "dataset.json").read_text())
    (copy / "dataset.json").write_text(json.dumps({**text, "format": "zarr"}))
    with pytest.raises(FileError, match=r"dataset.json is of format 'zarr'"):
        Dataset.open(copy)
    (copy / "dataset.json").write_text(json.dumps({**text, "version": 9}))
    with pytest.raises(FileError, match="version 9, not 1"):
        Dataset.open(copy)
    cut = {name: value for name, value in text.items() if name != "control_hz"}
    (copy / "dataset.json").write_text(json.dumps(cut))
    with pytest.raises(FileError, match=r"dataset.json lacks control_hz: it is damaged"):
        Dataset.open(copy)
    (copy / "dataset.json").write_text("{")
    with pytest.raises(FileError, match=r"dataset.json cannot be read"):
        Dataset.open(copy)
    with pytest.raises(FileError, match="not a folder"):
        Dataset.open(tmp_path / "nothing")
