"""What is held out: fixed, spread, and the same sets as the perturbation suite's unseen."""

import hashlib
from importlib import import_module

import pytest

from core.board.goals import Intersection, Pattern, Region
from core.errors import OptionError, UnknownNameError
from core.perturbations import KNOBS, heldout
from core.perturbations.presets import HELD_OUT as OF_PRESETS
from core.perturbations.presets import make_suite


def at(row: int, column: int, **more) -> Intersection:
    return Intersection(color="black", row=row, column=column, **more)


def test_the_sets_are_what_they_were():
    """A dataset and a result that carry this hash agree on what was held out: it changes on purpose only."""
    assert heldout.HELDOUT_HASH == "0e6a68851f48885f2b3d680fb4483a5bbbc282ad3b1c1473b08ee6fd5f61a8a2"


def test_the_held_out_sentences_are_what_they_were_and_nowhere_else():
    """No sentence of ``paraphrase_unseen`` is said by any other set, nor without the knob."""
    held, others = set(), set()
    for task in ("place_stone", "move_stone", "remove_stone", "copy_pattern", "go_sequence", "versus"):
        for value in vars(import_module(f"tasks.{task}.words")).values():
            for name, said in value.items() if isinstance(value, dict) else [(None, value)]:
                if isinstance(said, tuple):
                    texts = {phrasing.template for phrasing in said if hasattr(phrasing, "template")}
                    (held if name == "paraphrase_unseen" else others).update(texts)
    assert len(held) >= 20 and len(others) > 50 and not held & others
    digest = hashlib.sha256("\n".join(sorted(held)).encode()).hexdigest()
    assert digest == "195ebc2eebc6e259bd2abb1e4789abda073ff6827389137c8377e04e98773676"


def test_every_row_and_column_is_trained_on():
    assert sorted(row for row, _ in heldout.INTERSECTIONS) == [0, 1, 2, 3, 4]
    assert sorted(column for _, column in heldout.INTERSECTIONS) == [0, 1, 2, 3, 4]
    edges = [sum(k in (0, 4) for k in cell) for cell in heldout.INTERSECTIONS]
    assert sorted(edges) == [0, 0, 1, 1, 2]  # two inside, two on edges, one corner


def test_they_are_the_suites_unseen():
    sets = {**heldout.PHRASINGS, **heldout.TEXTURES}
    assert {name: unseen for name, (unseen, _) in sets.items()} == OF_PRESETS
    for name, both in sets.items():
        assert set(both) <= set(KNOBS[name].sets)


def test_goals_are_seen_unseen_or_mixed():
    assert heldout.goal_set(at(0, 0)) == "seen"
    assert heldout.goal_set(at(0, 4)) == "unseen"
    assert heldout.goal_set(at(0, 0, source=(1, 2))) == "mixed"
    assert heldout.goal_set(at(3, 3, source=(1, 2))) == "unseen"
    assert heldout.goal_set(Pattern(stones=(at(0, 0), at(4, 1)))) == "mixed"
    assert heldout.goal_set(Pattern(stones=(at(2, 0), at(4, 1)))) == "unseen"
    region = {"color": "black", "center": (0.0, 0.0), "half_size": (0.1, 0.1)}
    assert heldout.goal_set(Region(**region)) == "seen"
    assert heldout.goal_set(Region(**region, source=(4, 1))) == "unseen"


def test_presets_get_what_may_be_trained_on():
    levels = make_suite("all").levels
    assert levels["words"] == "paraphrase_unseen" and levels["wall_texture"] == "unseen"
    both = heldout.trainable(levels, ("phrasings", "textures"))
    assert both["words"] == "paraphrase_seen" and both["wall_texture"] == both["table_texture"] == "seen"
    assert {n: v for n, v in both.items() if n not in OF_PRESETS} == {
        n: v for n, v in levels.items() if n not in OF_PRESETS
    }
    assert heldout.trainable(levels, ("textures",))["words"] == "paraphrase_unseen"
    heldout.check_trainable(both, ("phrasings", "textures"))
    heldout.check_trainable(levels, ("intersections",))


def test_what_is_held_out_is_refused_by_name():
    with pytest.raises(
        OptionError, match=r"words: 'paraphrase_unseen' is held out .* words: 'paraphrase_seen'"
    ):
        heldout.check_trainable({"words": "paraphrase_unseen"}, ("phrasings",))
    with pytest.raises(
        UnknownNameError, match="held-out set 'colours'; valid: intersections, phrasings, text"
    ):
        heldout.check_held_out(("colours",))
    assert heldout.check_held_out(("textures", "intersections")) == ("intersections", "textures")
