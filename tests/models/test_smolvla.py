"""SmolVLA under the contract: lerobot's numbers and files at toy size, and the laws."""

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from bomb.disk.files import FileError, write_json
from bomb.models.backbones.smolvlm import SmolVLM
from bomb.models.checkpoint import Checkpoint
from bomb.models.codecs import statistics as stored
from bomb.models.codecs.normalising import Normalisation
from bomb.models.memory import Memory
from bomb.models.pictures import resize_with_pad
from bomb.models.sequences import Learned, Patches, assemble
from bomb.models.smolvla.family import PREFIX, SmolVLA
from bomb.models.smolvla.statistics import FORTH
from bomb.models.testing import tiny, toy_requests, toy_settings, toy_statistics
from bomb.models.vla import Batch
from bomb.models.words import Tokens, small_tokenizer
from tests.models.conftest import close

FAKE, GLOBAL = 7, 8  # ids of the words around pictures in the reference


@pytest.fixture(scope="module", params=["smolvla_tiny", "smolvla_special_prefix"])
def name(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def given(reference, name) -> dict:
    return reference.arrays(name)


@pytest.fixture(scope="module")
def public(reference, name, tmp_path_factory) -> SmolVLA:
    """lerobot's weights, read under lerobot's names."""
    about, folder = reference.json(f"{name}_config"), tmp_path_factory.mktemp("lerobot")
    write_json(folder / "config.json", {"type": "smolvla", **about["policy"]})
    vlm = {**{key: about[key] for key in ("text_config", "vision_config", "scale_factor")},
           "image_token_id": 299, "pad_token_id": 0, "tie_word_embeddings": False}  # fmt: skip
    write_json(folder / "vlm_config.json", vlm)
    shutil.copy(reference.weights(name), folder / "model.safetensors")
    small_tokenizer([], special=SmolVLM.special, size=299, begin=None).save_pretrained(folder)
    stored.write(folder, {"bomb": toy_statistics()})
    settings = toy_settings("smolvla", chunk=5, normalisation=Normalisation(kind="normal"))
    return SmolVLA.load(folder, settings, dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def batch(given, public) -> Batch:
    """The reference's question: two pictures, the second of which one sample lacks, words padded."""
    before, after = (Tokens.of(FAKE, GLOBAL), Tokens.of(FAKE)) if public.config.framed else (Tokens.of(),) * 2
    pictures = [piece for k in (0, 1) for piece in (before, Patches(camera=f"{k}", rows=2, cols=2), after)]
    samples = [[*pictures, Tokens.of(*row.tolist()), Learned()] for row in given["lang_tokens"]]
    made = assemble(samples, pad=0)
    frame = np.ones((2, 1), dtype=bool)
    there = []
    for k in (0, 1):
        there += [frame] * len(before) + [np.repeat(given[f"image_mask{k}"][:, None], 4, axis=1)]
        there += [frame] * len(after)
    mask = np.concatenate([*there, given["lang_mask"], frame], axis=1)
    pixels = np.stack([given["image0"], given["image1"]], axis=1).astype(np.float32)
    return Batch(
        inputs={
            **made.inputs,
            "pixels": torch.from_numpy(pixels),
            "states": torch.from_numpy(given["state"]),
        },
        attention_mask=torch.from_numpy(mask),
        position_ids=torch.from_numpy(mask.cumsum(1) - 1).clamp(min=0),
        layouts=made.layouts,
    )


@pytest.fixture
def framed(monkeypatch):
    """The words around pictures have the reference's ids."""
    ids = torch.tensor([FAKE, GLOBAL])
    monkeypatch.setattr(SmolVLA, "_framing", property(lambda vla: ids if vla.config.framed else ids[:0]))


@torch.no_grad()
def test_velocity_loss_and_actions_are_lerobots(public, batch, given, framed):
    noise, times, actions = (torch.from_numpy(given[key]) for key in ("noise", "time", "actions"))
    embedded = public.embed(batch)
    close(embedded, given["prefix_embs"][:, : embedded.shape[1]], 2e-5)
    memory = public.read(batch)
    close(public.network.embed_actions(torch.from_numpy(given["x_t"]), times), given["suffix_embs"], 2e-5)
    close(public.velocity(batch, memory, torch.from_numpy(given["x_t"]), times), given["velocity"], 2e-5)
    errors = public.errors(batch, memory, actions[..., :4], noise, times)
    close(errors, given["loss_elementwise"][..., :4], 1e-3, 1e-4)
    close(errors.mean(), given["loss_mean_first4"], 1e-4, 1e-5)
    assert public.options.steps == 10 and isinstance(memory, Memory)
    close(public.flow(batch, memory, noise), given["sampled_actions"][..., :4], 2e-4)


def test_files_come_back_as_lerobot_wrote_them(public, reference, name, tmp_path):
    public.save(tmp_path)
    before, after = load_file(reference.weights(name)), load_file(tmp_path / "model.safetensors")
    assert before.keys() == after.keys() and all(key.startswith(PREFIX) for key in after)
    for key, value in before.items():
        assert torch.equal(value.float(), after[key])
    about = json.loads((tmp_path / "config.json").read_text())
    assert about == {"type": "smolvla", **reference.json(f"{name}_config")["policy"]}


def test_pictures_are_padded_as_lerobots(reference):
    found = reference.arrays("smolvla_resize_with_pad")
    picture = np.rint(found["image"][0].transpose(1, 2, 0) * 255).astype(np.uint8)
    made = resize_with_pad(picture, 56, corner=True).transpose(2, 0, 1) / 255
    assert np.abs(made - found["out"][0]).max() < 1.2 / 255


def test_statistics_of_lerobots_preprocessor(tmp_path):
    vla = tiny("smolvla", normalisation=Normalisation(kind="normal"))
    Checkpoint(vla=vla).save(tmp_path / "one")
    (tmp_path / "one" / stored.FILE).unlink()
    again = Checkpoint.load(tmp_path / "one", device="cpu").vla
    batch, seeds = toy_requests(vla.settings, 2), [(0, 0), (1, 0)]
    with torch.no_grad():
        one, other = (model.act(model.encode(batch), seeds=seeds) for model in (vla, again))
    close(one, other, 1e-5)
    write_json(tmp_path / "one" / FORTH, {"steps": []})
    with pytest.raises(FileError, match="no step 'normalizer_processor'"):
        Checkpoint.load(tmp_path / "one", device="cpu")


def test_what_does_not_fit_is_refused(tmp_path):
    Checkpoint(vla=tiny("smolvla", chunk=3)).save(tmp_path / "one")
    file = tmp_path / "one" / "config.json"
    good = json.loads(file.read_text())
    for changes, message in (
        ({"type": "pi0"}, "type must be 'smolvla'"),
        ({"chunk_size": 4}, "chunk is 3, the model makes 4"),
        ({"attention_mode": "both"}, "unknown attention_mode 'both'"),
        ({"num_vlm_layers": 2, "num_expert_layers": 3}, "3 layers of the expert do not divide 2"),
        ({"max_action_dim": 3}, "has shape|room for 3"),
    ):
        write_json(file, {**good, **changes})
        with pytest.raises(FileError, match=message):
            Checkpoint.load(tmp_path / "one", device="cpu")
    write_json(file, good)
    (tmp_path / "one" / "vlm_config.json").unlink()
    with pytest.raises(FileError, match=r"whose sizes must be in vlm_config\.json"):
        Checkpoint.load(tmp_path / "one", device="cpu")
