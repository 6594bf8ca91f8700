"""The laws of the contract: over every family and every backbone, and over that of the documentation."""

import inspect
import re
import sys
import types
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from bomb.integrations.actions import ActionConvention
from bomb.models.registry import BACKBONES, FAMILIES
from bomb.models.testing import check_vla, tiny, toy_actions, toy_requests
from bomb.models.vla import VLA
from core.errors import OptionError

TWO = ("head", "wrist")
RESAMPLED = {"latents": 4, "resampler": [2, 2, 8]}
SEVEN = ActionConvention(rotation="ignored")

# By family, what varies in it.
CASES: dict[str, list[dict]] = {
    "openvla": [{}, {"cameras": TWO, "chunk": 2, "options": {"crop": 0.9, "prompt": "vicuna"}}],
    "openvla-oft": [
        {"chunk": 3},
        {"chunk": 2, "options": {"head": "discrete", "proprio": False, "prompt": "vicuna"}},
        {"chunk": 2, "options": {"head": "diffusion", "steps": 4, "train_steps": 8}},
        {"chunk": 2, "cameras": TWO, "options": {"film": True, "crop": 0.9}},
    ],
    "spatialvla": [
        {"chunk": 2},
        {"chunk": 2, "convention": SEVEN, "cameras": TWO},
        {"options": {"depth": "true"}},
    ],
    "pi0": [{"chunk": 5, "cameras": TWO}],
    "pi05": [{"chunk": 5, "cameras": TWO}],
    "pi0-fast": [{"chunk": 5, "cameras": TWO}, {"chunk": 2, "convention": SEVEN}],
    "smolvla": [{"chunk": 5, "cameras": TWO}],
    "motus": [{"chunk": 3, "cameras": TWO}],
    "small": [{"chunk": 6, "cameras": TWO, "image_size": (128, 128)}],
    "vlm4vla": [{"chunk": 4, "options": {"backbone": name}} for name in BACKBONES.names()],
    "robovlms/one_step_continuous": [
        {"chunk": 3, "options": {"state": True, "queries": 2, "loss": "mse"}},
        {"options": {"backbone": "llava", "loss": "flow", **RESAMPLED}},
    ],
    "robovlms/one_step_discrete": [{"cameras": TWO}],
    "robovlms/interleaved": [
        {"chunk": 2, "history": 3, "cameras": TWO, "options": {"state": True}},
        {"chunk": 2, "history": 2, "options": {"moments": "all", "loss": "flow"}},
    ],
    "robovlms/policy_head": [
        {"chunk": 2, "history": 3, "options": {"state": True}},
        {"history": 2, "cameras": TWO, "options": {"head": "gpt"}},
        {"history": 2, "options": {"backbone": "qwen3_vl", "experts": "separate", **RESAMPLED}},
    ],
}
STRUCTURES = [name.partition("/")[2] for name in FAMILIES.names() if name.startswith("robovlms/")]
EVERY = [(family, changes) for family, cases in CASES.items() for changes in cases]
NAMES = [f"{family}-{k}" for family, cases in CASES.items() for k in range(len(cases))]


def questions(vla: VLA) -> list:
    """As the laws make them up, with depth where it is asked for."""
    requests = toy_requests(vla.settings)
    if vla.settings.options.get("depth") != "true":
        return requests
    draw = np.random.default_rng(1)
    depth = {
        c: draw.uniform(0.5, 2, vla.settings.image_size).astype(np.float32) for c in vla.settings.cameras
    }
    return [replace(one, depth=depth) for one in requests]


def test_every_family_is_held_to_the_laws():
    assert set(CASES) == set(FAMILIES.names())


@pytest.mark.parametrize(("family", "changes"), EVERY, ids=NAMES)
def test_the_laws(family, changes, tmp_path):
    vla = tiny(family, **changes)
    check_vla(vla, tmp_path, requests=questions(vla))


def chains(structure: str) -> bool:
    """Whether what follows a question sees it in order, which an encoder does not allow."""
    return structure in ("one_step_discrete", "interleaved")


@pytest.mark.parametrize("backbone", BACKBONES.names())
@pytest.mark.parametrize("structure", STRUCTURES)
def test_every_structure_is_on_every_backbone(structure, backbone):
    """It answers by what it sees, alike in any batch, and learns; florence2 refuses what it cannot do."""
    history = 2 if structure in ("interleaved", "policy_head") else 1
    changes = {"history": history, "options": {"backbone": backbone}}
    if chains(structure) and not BACKBONES.load(backbone).chained:
        with pytest.raises(OptionError, match="reads a question with an encoder"):
            tiny(f"robovlms/{structure}", **changes)
        return
    vla = tiny(f"robovlms/{structure}", **changes)
    requests, actions = toy_requests(vla.settings, 2), toy_actions(vla.settings, 2)
    black = [replace(one, pictures={"head": np.zeros_like(one.pictures["head"])}) for one in requests]
    with torch.no_grad():
        reference = vla.decide(vla.encode(requests), seeds=[(0, 0)] * 2)
        alone = vla.decide(vla.encode(requests[1:]), seeds=[(0, 0)])
        seen, unseen = (vla.score(vla.encode(asked), reference).total for asked in (requests, black))
    np.testing.assert_allclose(alone.actions[0], reference.actions[1], atol=1e-4)
    assert (seen != unseen).all()
    batch = vla.encode(requests, actions)
    optimizer = torch.optim.AdamW(vla.parameters(), lr=3e-3)
    losses = []
    for _ in range(5):
        loss = vla.loss(batch, seeds=[(0, 0)] * 2).total
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("backbone", BACKBONES.names())
def test_an_adapter_is_one_short_file(backbone):
    file = inspect.getsourcefile(BACKBONES.load(backbone))
    assert len(Path(file).read_text().splitlines()) <= 150


def test_the_backbone_of_the_documentation(tmp_path, monkeypatch):
    text = (Path(__file__).parents[2] / "docs" / "models.md").read_text()
    (code,) = re.findall(r"```python\n(# idefics3\.py\n.*?)```", text, re.DOTALL)
    assert len(code.splitlines()) <= 150
    module = types.ModuleType("idefics3_backbone")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(code, "docs/models.md", "exec"), module.__dict__)
    with BACKBONES.temporarily({"idefics3": "idefics3_backbone:Idefics3"}):
        check_vla(tiny("vlm4vla", chunk=2, options={"backbone": "idefics3"}), tmp_path)
