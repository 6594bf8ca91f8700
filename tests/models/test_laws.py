"""The laws of the contract: over every family and every backbone, and over that of the documentation."""

import re
import sys
import types
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bomb.integrations.actions import ActionConvention
from bomb.models.registry import BACKBONES, FAMILIES
from bomb.models.testing import check_vla, tiny, toy_requests
from bomb.models.vla import VLA

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


def test_the_backbone_of_the_documentation(tmp_path, monkeypatch):
    text = (Path(__file__).parents[2] / "docs" / "models.md").read_text()
    (code,) = re.findall(r"```python\n(# idefics3\.py\n.*?)```", text, re.DOTALL)
    assert len(code.splitlines()) <= 150
    module = types.ModuleType("idefics3_backbone")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(code, "docs/models.md", "exec"), module.__dict__)
    with BACKBONES.temporarily({"idefics3": "idefics3_backbone:Idefics3"}):
        check_vla(tiny("vlm4vla", chunk=2, options={"backbone": "idefics3"}), tmp_path)
