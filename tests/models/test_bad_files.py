"""Checkpoints of every family that do not fit: the error names the key, the file or the number."""

import json
import re
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from bomb.disk.files import FileError
from bomb.models.checkpoint import Checkpoint
from bomb.models.codecs.statistics import FILE as STATISTICS
from bomb.models.registry import FAMILIES
from bomb.models.small.family import VOCABULARY
from bomb.models.testing import tiny
from bomb.models.words import small_tokenizer

CHANGES = {"small": {"cameras": ("head", "wrist"), "image_size": (128, 128)}}


@pytest.fixture(scope="module", params=FAMILIES.names())
def good(request, tmp_path_factory):
    """A whole checkpoint of a family."""
    folder = tmp_path_factory.mktemp("good") / "checkpoint"
    Checkpoint(vla=tiny(request.param, **CHANGES.get(request.param, {}))).save(folder)
    return folder


@pytest.fixture
def bad(good, tmp_path):
    """A copy of it, to be damaged."""
    return shutil.copytree(good, tmp_path / "bad")


def refused(folder, said: str) -> None:
    with pytest.raises(FileError, match=said) as error:
        Checkpoint.load(folder, device="cpu")
    assert "\n" not in str(error.value)


def test_keys_that_do_not_fit_are_named(bad):
    file = bad / "model.safetensors"
    weights = load_file(file)
    key = max(name for name, weight in weights.items() if weight.ndim == 2)
    said = key.removeprefix("model.")  # lerobot's prefix
    without = {name: weight for name, weight in weights.items() if name != key}
    for damaged, name in (
        (without, said),
        ({**weights, "something.else.weight": torch.zeros(2, 2)}, "something.else.weight"),
        ({**weights, key: torch.cat([weights[key], weights[key]])}, said),
    ):
        save_file(damaged, file, metadata={"format": "pt"})
        refused(bad, re.escape(name))


def test_statistics_that_do_not_fit_are_named(bad):
    file = bad / STATISTICS
    whole = json.loads(file.read_text())
    for entry, number, said in (("q01", "nan", "q01"), ("std", "nan", "std"), ("mean", None, "mean")):
        values = json.loads(json.dumps(whole))
        if number is None:
            del values["bomb"]["action"][entry]
        else:
            values["bomb"]["action"][entry][0] = float(number)
        file.write_text(json.dumps(values))
        refused(bad, said)
    still = {name: [0.5, *whole["bomb"]["action"][name][1:]] for name in ("min", "max", "q01", "q99", "mean")}
    still["std"] = [0.0, *whole["bomb"]["action"]["std"][1:]]
    file.write_text(json.dumps({"bomb": {**whole["bomb"], "action": {**whole["bomb"]["action"], **still}}}))
    refused(bad, "constant|never change")


def test_a_tokenizer_of_something_else_is_refused(bad):
    """One that lacks the tokens that the family needs."""
    if (bad / VOCABULARY).is_file():  # of `small`, which has words alone
        (bad / VOCABULARY).write_text(json.dumps({"tokens": ["?", "!"]}))
        return refused(bad, "embed|words|token")
    (file,) = [file for file in bad.rglob("tokenizer.json") if file.parent.name != "fast"]
    small_tokenizer([], first=("?", "!"), begin=None).save_pretrained(file.parent)
    refused(bad, "token")
