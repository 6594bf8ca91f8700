"""The words knob: every sentence names the goal exactly, and its spans stand where its parts are."""

from dataclasses import replace

import pytest

from core.observation import MAX_INSTRUCTION
from core.perturbations import KNOBS
from core.stage import clean_scene
from core.task import Intersection
from tasks.place_stone import PlaceStone
from tasks.place_stone.words import PHRASINGS, WORD_SETS, parse, say_place

TASK = PlaceStone()
EPISODE = TASK.make_episode(clean_scene(), split="ci", seed=0)
GOALS = [
    Intersection(color=color, row=row, column=column)
    for color in ("black", "white")
    for row in range(5)
    for column in range(5)
]


def sentences(words: str, goal: Intersection, other: int = 0):
    count = len(WORD_SETS[words])
    return [TASK.reword(replace(EPISODE, goal=goal), words, (k + 0.5) / count, other) for k in range(count)]


def test_the_knob_has_the_sets_of_the_task():
    assert set(KNOBS["words"].sets) == set(WORD_SETS) == TASK.word_sets


@pytest.mark.parametrize("words", WORD_SETS)
def test_every_sentence_names_the_goal_exactly(words):
    for goal in GOALS:
        for said in sentences(words, goal):
            assert parse(said.text) == goal, said.text
            assert said.text.isascii() and said.text.isprintable() and len(said.text) <= MAX_INSTRUCTION


@pytest.mark.parametrize("words", WORD_SETS)
def test_spans_say_where_the_parts_are(words):
    for said in sentences(words, Intersection(color="white", row=3, column=1)):
        parts = {name: said.text[span.start : span.end] for name, span in said.spans.items()}
        assert {"color", "row", "column"} <= set(parts) <= {
            "color", "board", "row", "column", "row_digit", "column_digit",
        }  # fmt: skip
        assert parts["color"] == {"appearance": "light", "common_sense": "snow"}.get(words, "white")
        expected = {"letters": ("4", "B"), "spelled": ("three", "one"), "ordinal": ("fourth", "second")}
        row, column = expected.get(words, ("3", "1"))
        if words == "common_sense":
            assert parts["row"] == parts["column"] == say_place(3, 1, 5)
        else:
            assert parts["row_digit"] == row and parts["column_digit"] == column
            assert row in parts["row"] and column in parts["column"]


def test_a_sentence_that_rules_another_out_never_rules_out_the_goal():
    for goal in GOALS[:25]:
        texts = [sentences("negation", goal, other)[0].text for other in range(24)]
        assert len(set(texts)) == 24
        assert all(not text.endswith(f"not at row {goal.row}, column {goal.column}") for text in texts)
        assert all(parse(text) == goal for text in texts)


def test_places_are_exact():
    assert len({say_place(row, column, 5) for row in range(5) for column in range(5)}) == 25
    assert say_place(2, 2, 5) == "the middle of the board"
    assert say_place(0, 4, 5) == "the top right corner of the grid"
    assert say_place(4, 1, 5) == "the point two steps down and one step left from the middle of the board"


def test_what_is_seen_and_what_is_held_out_share_no_sentence():
    seen = {p.template for p in PHRASINGS} | {p.template for p in WORD_SETS["paraphrase_seen"]}
    assert len(seen) == len(PHRASINGS) + len(WORD_SETS["paraphrase_seen"])
    for name, group in WORD_SETS.items():
        if name != "paraphrase_seen":
            assert not seen & {p.template for p in group if p.row == "row {row_digit}" and name != "spelled"}


def test_letters_are_printed_on_the_board(backend, make_env):
    env = make_env(backend, perturbations={"words": "letters"})
    env.reset(seed=0)
    assert env.episode.scene.board.labels
    env = make_env(backend, perturbations={"words": "ordinal"})
    env.reset(seed=0)
    assert not env.episode.scene.board.labels
