"""OpenVLA's checkpoints: what is read, and what is refused by name."""

import json
import shutil

import pytest
import torch

from bomb.disk.files import FileError
from bomb.models.checkpoint import Checkpoint
from bomb.models.testing import tiny
from bomb.models.weights import SAFE, SAFE_INDEX, save_weights


@pytest.fixture
def saved(tmp_path):
    Checkpoint(vla=tiny("openvla")).save(tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


def test_shards_in_bfloat16_and_pickles_are_read(saved, tmp_path):
    vla = Checkpoint.load(saved, device="cpu").vla
    half = vla.network.to(torch.bfloat16)
    (saved / SAFE).unlink()
    save_weights(half, saved, shard_mb=0.1)
    assert (saved / SAFE_INDEX).is_file() and len(list(saved.glob("model-*.safetensors"))) > 2
    again = Checkpoint.load(saved, device="cpu", dtype="float32").vla
    assert again.dtype == torch.float32
    for key, value in half.state_dict().items():
        assert torch.equal(value.float(), again.network.state_dict()[key])
    for file in saved.glob("model*"):
        file.unlink()
    torch.save(half.state_dict(), saved / "pytorch_model.bin")
    assert Checkpoint.load(saved, device="cpu").vla.dtype == torch.bfloat16


class Harmful:
    def __reduce__(self):
        return (print, ("code from a checkpoint ran",))


def test_no_code_of_a_checkpoint_is_run(saved, capsys):
    (saved / SAFE).unlink()
    torch.save({"weight": Harmful()}, saved / "pytorch_model.bin")
    (saved / "modeling_prismatic.py").write_text("raise SystemExit('code from a checkpoint ran')")
    with pytest.raises(FileError, match="no code of it is run"):
        Checkpoint.load(saved, device="cpu")
    assert "ran" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("missing", r"lack: network|lack: projector\.fc1\.bias"),
        ("extra", "unknown keys: surplus"),
        ("shape", r"projector\.fc1\.bias has shape \[3\], the model wants \[160\]"),
        ("torn", "cannot be read"),
        ("none", "has no weights"),
        ("shard", "names the shard"),
    ],
)
def test_weights_that_do_not_fit_are_refused_by_name(saved, damage, message):
    from safetensors.torch import load_file, save_file

    file = saved / SAFE
    weights = load_file(file)
    if damage == "missing":
        del weights["projector.fc1.bias"]
    if damage == "extra":
        weights["surplus"] = torch.zeros(1)
    if damage == "shape":
        weights["projector.fc1.bias"] = torch.zeros(3)
    save_file(weights, file)
    if damage == "torn":
        file.write_bytes(file.read_bytes()[:1000])
    if damage in ("none", "shard"):
        file.unlink()
    if damage == "shard":
        (saved / SAFE_INDEX).write_text(json.dumps({"weight_map": {"a": "model-1.safetensors"}}))
    with pytest.raises(FileError, match=message):
        Checkpoint.load(saved, device="cpu")


def change(folder, name, **entries):
    file = folder / name
    file.write_text(json.dumps({**json.loads(file.read_text()), **entries}))


@pytest.mark.parametrize(
    ("name", "entries", "message"),
    [
        ("bomb.json", {"family": "openvia"}, "unknown model family 'openvia'"),
        ("bomb.json", {"options": {"prompts": "x"}}, "no options prompts; valid: crop"),
        ("bomb.json", {"options": {"prompt": "x"}}, "unknown prompt 'x'; valid: openvla, vicuna"),
        ("bomb.json", {"options": {"space": 3, "crop": 1.5}}, "share of a picture"),
        ("bomb.json", {"options": {"space": 77}}, "tokenizer .* does not fit the model: id 77"),
        ("bomb.json", {"dataset": "bridge"}, "unknown dataset .*'bridge'; valid: bomb"),
        ("bomb.json", {"convention": {"rotation": "zero"}}, "4 numbers of an action"),
        ("bomb.json", {"cameras": ["side"]}, "unknown camera 'side'"),
        ("bomb.json", {"chunk": 0}, "chunk must be a positive integer"),
        ("config.json", {"model_type": "llava"}, "model_type must be 'openvla'"),
        ("config.json", {"image_sizes": [56, 28]}, "one size"),
        ("config.json", {"bomb_towers": None, "timm_model_ids": ["giant"]}, "unknown vision tower 'giant'"),
        ("config.json", {"timm_override_act_layers": ["quick_gelu", None]}, "exact GELU"),
        ("dataset_statistics.json", {"bomb": {"action": {"mean": [0]}}}, "lack std"),
    ],
)  # fmt: skip
def test_files_that_do_not_fit_are_refused_by_name(saved, name, entries, message):
    change(saved, name, **entries)
    with pytest.raises(FileError, match=message):
        Checkpoint.load(saved, device="cpu")


def test_folders_that_are_no_checkpoints(saved, tmp_path):
    (saved / "tokenizer.json").unlink()
    with pytest.raises(FileError, match=r"has no tokenizer\.json"):
        Checkpoint.load(saved, device="cpu")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("")
    with pytest.raises(FileError, match=r"has no bomb\.json"):
        Checkpoint.load(tmp_path / "thesis")
    with pytest.raises(FileError, match="something else than a checkpoint"):
        Checkpoint(vla=tiny("openvla")).save(tmp_path / "thesis")
    shutil.rmtree(saved)
