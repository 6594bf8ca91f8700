"""`bomb models`: list, show, verify, efficiency."""

import json
import shutil
import struct

import pytest

from bomb.cli import main
from bomb.disk.files import FileError
from bomb.models.checkpoint import Checkpoint
from bomb.models.command.verifying import verify
from bomb.models.testing import tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("command") / "checkpoint"
    Checkpoint(vla=tiny("openvla")).save(place)
    return place


def result(tmp_path, *words: str) -> tuple[int, dict]:
    status = main(["models", *words, "--json", str(tmp_path / "result.json")])
    return status, json.loads((tmp_path / "result.json").read_text())


def test_list_names_families_backbones_and_packages(tmp_path, capsys):
    status, found = result(tmp_path, "list")
    assert (
        status == 0 and {"openvla", "vlm4vla"} <= found["families"].keys() and "smolvlm" in found["backbones"]
    )
    told = capsys.readouterr().out
    assert found["packages"]["torch"] and "families: " in told and "openvla" in told


def test_show_tells_what_is_in_a_folder_without_loading_it(folder, tmp_path):
    status, found = result(tmp_path, "show", str(folder))
    (shown,) = found["checkpoints"]
    assert status == 0 and shown["settings"]["family"] == "openvla"
    vla = Checkpoint.load(folder, device="cpu").vla
    assert shown["weights"]["parameters"] == vla.count()
    assert shown["statistics"]["action"]["mask"] == [True, True, True, False]


def test_verify_passes_what_is_whole_and_names_what_is_not(folder, tmp_path, capsys):
    status, found = result(tmp_path, "verify", str(folder), "--device", "cpu")
    assert status == 0 and found["ok"]
    checks = {finding["what"]: finding for finding in found["checkpoints"][0]["findings"]}
    assert {"files", "parameters", "statistics", "action round trip", "batch against single"} <= checks.keys()
    assert "7,541,237,184" in checks["parameters"]["found"]
    (tmp_path / "empty").mkdir()
    assert main(["models", "verify", str(tmp_path / "empty")]) == 1
    assert "has no bomb.json" in capsys.readouterr().out
    assert main(["models", "show", str(tmp_path / "empty")]) == 2
    assert main(["models", "verify"]) == 2


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--device", "foo"), "device must be auto, cpu, or one that torch has here"),
        (("--dtype", "foo"), "unknown dtype 'foo'; valid: bfloat16, float16, float32, float64"),
    ],
)
def test_a_device_or_dtype_that_is_not_there_is_no_fault_of_the_files(folder, capsys, option, said):
    for verb in ("verify", "efficiency"):
        assert main(["models", verb, str(folder), *option]) == 2
        told = capsys.readouterr()
        assert said in told.err and "BROKEN" not in told.out


def test_verify_counts_the_vlm_of_a_family_on_a_backbone(tmp_path):
    Checkpoint(vla=tiny("vlm4vla", options={"backbone": "paligemma"})).save(tmp_path / "good")
    found = {finding.what: finding for finding in verify(tmp_path / "good", device="cpu")}
    assert "published: 2,923,466,480" in found["parameters of paligemma"].found
    assert all(finding.ok for finding in found.values())


def test_verify_sees_a_model_that_answers_alike_and_statistics_of_something_else(folder, tmp_path):
    vla = tiny("openvla")
    for weight in vla.network.projector.parameters():
        weight.data.zero_()
    values = vla.statistics.action.to_dict()
    values["q99"][0] = values["q01"][0] + 1e-12
    Checkpoint(vla=vla).save(tmp_path / "bad")
    statistics = json.loads((tmp_path / "bad" / "dataset_statistics.json").read_text())
    statistics["bomb"]["action"]["mask"] = [True, True, True, True]
    statistics["bomb"]["action"]["q01"][3] = 0.4
    statistics["bomb"]["action"]["q99"][3] = 0.6
    (tmp_path / "bad" / "dataset_statistics.json").write_text(json.dumps(statistics))
    found = {finding.what: finding.ok for finding in verify(tmp_path / "bad", device="cpu")}
    assert not found["looks at pictures"] and found["looks at words"]
    assert not found["action round trip"]


@pytest.mark.render
def test_verify_predicts_moments_of_a_dataset(folder, tmp_path):
    words = f"collect --episodes 1 --backend mujoco --workers 1 --split ci --out {tmp_path / 'data'}".split()
    assert main(words) == 0
    status, found = result(tmp_path, "verify", str(folder), "--data", str(tmp_path / "data"))
    checks = {finding["what"]: finding for finding in found["checkpoints"][0]["findings"]}
    (name,) = [what for what in checks if "moments of the dataset" in what]
    assert "token_accuracy" in checks[name]["found"]
    assert "predicted actions" in checks and status == (0 if checks["predicted actions"]["ok"] else 1)


def test_efficiency_counts_and_times(folder, tmp_path, capsys):
    status, found = result(
        tmp_path, "efficiency", str(folder), "--batch", "2", "--repeats", "3", "--device", "cpu"
    )
    (model,) = found["models"]
    assert status == 0 and model["decisions"] == 6 and model["batch"] == 2
    assert model["actions_hz"] == model["decisions_hz"] > 0 and model["parameters"] == tiny("openvla").count()
    assert "| openvla | " in capsys.readouterr().out
    assert main(["models", "efficiency", str(folder), "--repeats", "0"]) == 2
    assert main(["models", "efficiency", str(folder), "--batch", str(10**20)]) == 2


def damaged(folder, how: str) -> None:
    """One kind of damage to a checkpoint."""
    weights = folder / "model.safetensors"
    if how == "truncated":
        weights.write_bytes(weights.read_bytes()[:1000])
    elif how == "negative shape":
        header = json.dumps({"a": {"dtype": "F32", "shape": [-1, 10**30], "data_offsets": [0, 4]}}).encode()
        weights.write_bytes(struct.pack("<Q", len(header)) + header + b"abcd")
    elif how in ("hidden_size", "list"):
        values = json.loads((folder / "config.json").read_text())
        text = values.get("text_config", values)
        text["hidden_size"] = -3
        (folder / "config.json").write_text("[]" if how == "list" else json.dumps(values))
    else:
        values = json.loads((folder / "bomb.json").read_text())
        (folder / "bomb.json").write_text(json.dumps({**values, "chunk": 10**30}))


@pytest.mark.parametrize("family", ["openvla", "pi0-fast", "vlm4vla", "robovlms/policy_head"])
def test_damage_is_one_line_whatever_library_finds_it(family, tmp_path, capsys):
    good = tmp_path / "good"
    Checkpoint(vla=tiny(family)).save(good)
    for how in ("truncated", "negative shape", "hidden_size", "list", "chunk"):
        bad = shutil.copytree(good, tmp_path / how)
        damaged(bad, how)
        capsys.readouterr()
        with pytest.raises(FileError) as said:
            Checkpoint.load(bad, device="cpu")
        assert "\n" not in str(said.value) and str(bad) in str(said.value)
        if how in ("truncated", "negative shape", "chunk"):
            assert main(["models", "show", str(bad)]) == 2
        assert main(["models", "efficiency", str(bad), "--device", "cpu"]) == 2
        told = capsys.readouterr()
        assert all(len(text.strip().splitlines()) <= 2 for text in (told.out, told.err)), told
