"""What explanation says of `small-vla`, with what it remembers and what its heads read."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import core
from bomb.explanation.asking import Change, Question
from bomb.explanation.inside.asking import ModelAsker
from bomb.explanation.inside.patching import head_units, restore
from bomb.explanation.inside.recording import Unit
from bomb.explanation.inside.restoring import Restoring
from bomb.explanation.looking import Looking
from bomb.explanation.moments import course_of
from bomb.explanation.spans import spans_of
from bomb.policies.making import make_policy

SEED = 3


@pytest.fixture(scope="module")
def carried():
    """The shipped policy's model and a question of an episode that it plays, above the target."""
    policy = make_policy("small-vla")
    looking = Looking(policy)
    with core.make_task(
        "place_stone", backend="mujoco", split="ci", cameras=policy.cameras, image_size=policy.image_size,
        supersample=1,
    ) as env:  # fmt: skip
        course = course_of(env, looking, SEED, "full")
    assert course.success
    look = [one for one in looking.looks if one.step <= course.stages["above target"]][-1]
    question = Question(
        observation=look.observation, seed=looking.seed, step=look.step, remembered=look.remembered
    )
    return ModelAsker(policy.vla, most=8), question, looking.looks


@torch.no_grad()
def test_it_is_asked_as_it_was_asked(carried):
    """With what it was told of the look before, the answer is that of the episode; without, another one."""
    asker, question, looks = carried
    assert [one.remembered is None for one in looks] == [True] + [False] * (len(looks) - 1)
    following = next(one for one in looks if one.step > question.step)
    answer = asker.decide(question)[1].raw["memory"][0].numpy()
    np.testing.assert_array_equal(answer, following.remembered)
    alone = asker.decide(replace(question, remembered=None))[1].raw["memory"][0].numpy()
    assert np.abs(alone - answer).max() > 1e-3


@torch.no_grad()
def test_each_coordinate_is_read_by_a_head_of_its_own(carried):
    """Three heads read three words: one alone brings a hidden word back, and no two words have the same."""
    asker, question, _ = carried
    reference = asker.decide(question)[1]
    layers = asker.vla.anatomy.layers
    units = [*head_units(layers), Unit(layer=layers[0], part="stream")]
    readers = []
    for slot in ("row", "column"):
        span = spans_of(question.observation["instruction"])[slot]
        found = restore(asker, question, reference, Change(name=slot, hidden=(span,)), units)
        *heads, whole = found.values
        assert whole == pytest.approx(1.0, abs=1e-4)  # words act through the reader alone
        assert sorted(heads)[-1] > 0.9 and sorted(heads)[-2] < 0.1, heads
        readers.append(int(np.argmax(heads)))
    assert len(set(readers)) == 2


def test_restoration_of_a_model_without_pictures_in_its_stream(carried):
    asker, question, _ = carried
    span = spans_of(question.observation["instruction"])["place"]
    reference = asker.decide(question)[1]
    regions = {name: np.zeros((128, 128), np.uint8) for name in asker.vla.settings.cameras}
    found = Restoring(None)(
        asker, question, reference, {"words": Change(name="place", hidden=(span,))}, regions
    )
    assert found["gap"] > 0 and len(found["heads"]) and len(found["layers"])
