"""From scratch: of a folder only the shape is taken, whether it has a VLM alone or a checkpoint."""

import numpy as np
import pytest
import torch
from torch import nn

from bomb.models.checkpoint import Checkpoint
from bomb.models.initial import afresh
from bomb.models.testing import tiny, toy_requests
from bomb.training.building import make_model
from tests.training.conftest import recipe


def noisy(vla):
    """With weights as after a training: none is where an initialisation puts it."""
    with torch.no_grad():
        for weight in vla.parameters():
            weight.add_(torch.rand_like(weight) + 0.1)
    return vla


def begun(vla, folder, start, seed=0):
    """The model that a training from the folder begins with."""
    there = vla.settings
    model = {name: getattr(there, name) for name in ("image_size", "chunk", "convention", "options")}
    made = recipe(there.family, model={**model, "folder": str(folder), "start": start}, seed=seed)
    return make_model(made, vla.statistics, texts=["a"], control_hz=20, trained_on=[])


@pytest.mark.parametrize("vlm_alone", [True, False])
def test_nothing_of_the_folder_is_left(vlm_alone, tmp_path):
    old = noisy(tiny("vlm4vla"))
    if vlm_alone:
        old.backbone.save(tmp_path)
    else:
        Checkpoint(vla=old).save(tmp_path)
    trained = dict(old.backbone.named_parameters())
    taken = begun(old, tmp_path, "vlm" if vlm_alone else "checkpoint").backbone
    assert all(torch.equal(weight, trained[name]) for name, weight in taken.named_parameters())
    first, again, other = (begun(old, tmp_path, "random", seed) for seed in (3, 3, 4))
    for name, weight in first.backbone.named_parameters():
        assert not torch.isclose(weight, trained[name], rtol=0, atol=1e-4).all(), name
    one, two, three = (torch.cat([w.flatten() for w in vla.parameters()]) for vla in (first, again, other))
    assert torch.equal(one, two) and not torch.equal(one, three)
    assert first.settings.trained_on == []
    first.eval()
    answers = first.act(first.encode(toy_requests(first.settings, 2)), seeds=[(0, 0), (0, 1)])
    assert np.isfinite(answers).all()


@pytest.mark.parametrize("family", ["openvla", "pi0", "spatialvla", "smolvla"])
def test_norms_are_neutral_and_tokens_small(family):
    vla = noisy(tiny(family))
    afresh(vla)
    assert all(torch.isfinite(weight).all() for weight in vla.parameters())
    for part in vla.modules():
        if isinstance(part, nn.Linear | nn.Conv2d | nn.LayerNorm) and part.bias is not None:
            assert not part.bias.any()
        if "Norm" in type(part).__name__ and getattr(part, "weight", None) is not None:
            assert set(part.weight.tolist()) in ({0.0}, {1.0})
