"""What docs/exports.md says for OpenVLA against values that OpenVLA's own loader made of an export.

``tests/interop/readers/openvla_values.py`` makes them with checkouts of OpenVLA (c8f03f4, 2025-03-23)
and dlimp_openvla (040105d, 2024-07-11); ``tests/interop/test_rlds.py`` holds exports to what was read.
"""

import json

import numpy as np
import pytest

from bomb.exports.rlds import statistics
from bomb.models.codecs.normalising import Normalisation, Normaliser
from bomb.models.codecs.statistics import Statistics
from bomb.rollouts.states import in_layout
from tests.interop.readers import openvla_export
from tests.interop.readers import openvla_values as made
from tests.test_imports import ROOT

VALUES = json.loads((ROOT / "tests" / "interop" / "readers" / "openvla_values.json").read_text())
EPISODES = [made.episode(k) for k in range(len(made.LENGTHS))]


def normaliser(kind: str) -> Normaliser:
    """OpenVLA's, out of the statistics that an export has."""
    stored = {name: value for name, value in statistics(openvla_export.plan(), len(EPISODES))[kind].items()}
    return Normaliser(Statistics(**stored), Normalisation(kind="q99", constant="zero"))


def test_the_values_are_of_the_page_as_it_is():
    assert VALUES["page"] == made.digest(made.block()), "make openvla_values.json anew: the page changed"


@pytest.mark.parametrize("kind", ["action", "proprio"])
def test_an_export_has_the_statistics_that_the_loader_computes(kind):
    ours = statistics(openvla_export.plan(), len(EPISODES))
    theirs = VALUES["statistics"][kind]
    assert ours[kind].keys() == theirs.keys()
    for name, values in theirs.items():
        assert np.allclose(ours[kind][name], values, rtol=0, atol=1e-6), name
    assert [ours["num_transitions"], ours["num_trajectories"]] == VALUES["counts"][:2]


def test_every_moment_arrives_as_it_was_collected():
    assert len(VALUES["episodes"]) == len(EPISODES)
    for seen, episode in zip(VALUES["episodes"], EPISODES, strict=True):
        assert seen["words"] == episode["words"]
        assert seen["primary"] == made.about(episode["head"])
        assert seen["wrist"] == made.about(episode["wrist"])
    assert VALUES["item"]["image_primary"] == [1, *made.SIZE, 3] and VALUES["item"]["action"] == [1, 7]
    assert VALUES["item"]["words"] in {episode["words"] for episode in EPISODES}
    assert VALUES["item"]["dataset_name"] == made.NAME  # what is looked up as unnorm_key


def test_a_model_is_fed_at_evaluation_what_it_learned_from():
    """What ``state=open_x`` makes, normalised, is what the loader made of the export."""
    for seen, episode in zip(VALUES["episodes"], EPISODES, strict=True):
        fed = normaliser("proprio").forward(in_layout("open_x", episode["states"]))
        assert np.allclose(fed, seen["proprio"], rtol=0, atol=1e-5)


def test_entries_0_1_2_and_6_of_what_it_answers_are_our_action():
    for seen, episode in zip(VALUES["episodes"], EPISODES, strict=True):
        answered = normaliser("action").backward(np.array(seen["action"]))[:, [0, 1, 2, 6]]
        bounds = Statistics(**VALUES["statistics"]["action"])
        low, high = (getattr(bounds, name)[[0, 1, 2]] for name in ("q01", "q99"))
        wanted = episode["actions"].copy()
        wanted[:, :3] = np.clip(wanted[:, :3], low, high)  # the loader clips to the quantiles
        assert np.allclose(answered, wanted, rtol=0, atol=1e-5)
        assert set(np.array(seen["action"])[:, 6]) <= {0.0, 1.0}  # 1 is open; never normalised
