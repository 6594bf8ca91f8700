"""What docs/exports.md says for openpi against values that openpi's own transforms made of it.

``tests/interop/readers/openpi_values.py`` makes them in a checkout of openpi (seen with 15a9616, 2026-06-16).
"""

import json

import numpy as np

from bomb.integrations.openpi.mapping import serving_mapping
from bomb.models.codecs.statistics import Statistics
from core.control.actions import ActionSpec
from tests.interop.readers import openpi_values as made
from tests.test_imports import ROOT

VALUES = json.loads((ROOT / "tests" / "interop" / "readers" / "openpi_values.json").read_text())


def asked() -> dict:
    """What `bomb evaluate` sends of the moment that openpi learned from."""
    item = made.item()
    pictures = {
        name: (np.moveaxis(item[f"observation.images.{name}"], 0, -1) * 255).astype(np.uint8)
        for name in ("head", "wrist")
    }
    observation = {"images": pictures, "state": item["observation.state"], "instruction": item["prompt"]}
    return serving_mapping("bomb").request(observation)


def test_the_values_are_of_the_page_as_it_is():
    assert VALUES["page"] == made.digest(), "make openpi_values.json anew: the documented transforms changed"


def test_a_served_model_is_shown_what_it_learned_from():
    request = asked()
    assert request.keys() - {"prompt"} == VALUES["repacked"].keys() - {"actions"}
    seen = made.about(request)
    for key, name in (
        ("observation/images/head", "image/base_0_rgb"),
        ("observation/images/wrist", "image/left_wrist_0_rgb"),
        ("observation/state", "state"),
    ):
        assert seen[key] == VALUES["served"][name] == VALUES["inputs"][name]


def test_actions_come_back_as_they_were_learned():
    actions = made.item()["action"]
    assert VALUES["outputs"]["actions"] == made.about({"actions": actions})["actions"]
    back = serving_mapping("bomb").actions(actions, {}, ActionSpec(mode="delta", control_hz=20))
    assert np.array_equal(back, actions)


def test_norm_statistics_are_ours():
    """openpi's quantiles are those of a histogram of 5000 bins."""
    numbers, theirs = made.numbers(), VALUES["statistics"]
    ours = Statistics.of(numbers)
    width = np.ptp(numbers, axis=0)
    for name, allowed in (("mean", 1e-9), ("std", 1e-9), ("q01", 5e-3), ("q99", 5e-3)):
        assert (np.abs(getattr(ours, name) - theirs[name]) <= allowed * width).all(), name
