"""The file that comes with BOMB, its card, and files that are refused."""

import json
import shutil

import numpy as np
import pytest

from bomb.disk.files import FileError
from bomb.models.keypoint.checkpoint import SHIPPED, read_model, sha256_of
from bomb.models.keypoint.safetensors import read_safetensors
from bomb.policies.making import make_policy
from core.perturbations.heldout import HELDOUT_HASH


@pytest.fixture(scope="module")
def model():
    return read_model(SHIPPED)


def test_it_is_as_small_as_it_says(model):
    assert SHIPPED.stat().st_size <= 4e6
    assert model.parameters == model.card["parameters"] < 1_000_000


def test_its_card_says_what_it_learned_from(model):
    """Demonstrations of the split train, with everything that BOMB holds out left out."""
    card = model.card
    assert card["sha256"] == sha256_of(SHIPPED)
    for data in card["trained_on"]:
        assert data["split"] == "train" and data["task"] == "place_stone"
        assert data["held_out"]["hash"] == HELDOUT_HASH
        assert set(data["held_out"]["sets"]) == {"intersections", "phrasings", "textures"}
        assert set(data["backends"]) == {"mujoco", "robotwin"} and data["episodes"] >= 50
    assert not any(
        "unseen" in str(looks["perturbations"].get(name))
        for looks in card["recipe"]["looks"]
        for name in ("table_texture", "wall_texture", "words")
    )
    assert len(card["sources"]["commit"]) == 40 and not card["sources"]["changed"]
    for camera in ("head", "wrist"):
        assert card["held_out_metrics"]["eyes_mm"][camera]
    assert card["held_out_metrics"]["words_read_right"]["clean"] == 1.0


def test_the_policy_describes_it(model):
    policy = make_policy("keypoint")
    said = policy.describe()
    assert said["parameters"] == model.parameters and said["sha256"] == model.card["sha256"]
    assert {data["split"] for data in said["trained_on"]} == {"train"}
    assert policy.cameras == ("head", "wrist") and policy.image_size == (128, 128) and not policy.privileged
    policy.close()


def test_a_card_of_another_file_is_refused(tmp_path):
    file = tmp_path / "keypoint.safetensors"
    shutil.copy(SHIPPED, file)
    shutil.copy(SHIPPED.with_suffix(".json"), tmp_path)
    read_model(file)
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(FileError, match="card of another file"):
        read_model(file)


def written(header: dict, numbers: bytes) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + numbers


def test_safetensors_are_read(tmp_path):
    numbers = np.arange(6, dtype="<f4")
    header = {
        "__metadata__": {"a": "b"},
        "x": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
        "y": {"dtype": "F32", "shape": [2], "data_offsets": [16, 24]},
    }
    file = tmp_path / "x.safetensors"
    file.write_bytes(written(header, numbers.tobytes()))
    arrays, about = read_safetensors(file)
    assert about == {"a": "b"} and arrays["x"].tolist() == [[0, 1], [2, 3]] and arrays["y"].tolist() == [4, 5]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff" * 30,
        written({"x": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}, b"1234"),
        written({"x": {"dtype": "Q9", "shape": [1], "data_offsets": [0, 4]}}, b"1234"),
        written({"x": {"dtype": "F32"}}, b""),
    ],
)
def test_what_is_damaged_is_refused(tmp_path, data):
    file = tmp_path / "x.safetensors"
    file.write_bytes(data)
    with pytest.raises(FileError, match=r"x\.safetensors"):
        read_safetensors(file)
