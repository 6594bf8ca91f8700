"""The words knob: every sentence names the goal exactly, and its spans stand where its parts are."""

import re

import pytest

import core
from core.errors import CapabilityError
from core.language.styles import say_place
from core.perturbations import KNOBS
from core.perturbations.presets import make_suite
from core.registry import TASKS
from core.task import MAX_INSTRUCTION, Intersection, Move, Wording
from core.testing import walk
from core.world.stage import clean_scene
from tasks.copy_pattern import CopyPattern
from tasks.go_sequence import GoSequence
from tasks.place_stone import PlaceStone
from tasks.place_stone.words import PHRASINGS, WORD_SETS, parse
from tests.conftest import play

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
    move = Move(goal=goal, instruction=EPISODE.instruction)
    wordings = [Wording(words=words, choice=(k + 0.5) / count, other=other) for k in range(count)]
    return [TASK.reword(EPISODE, move, wording) for wording in wordings]


def test_tasks_have_sets_of_the_knob():
    assert set(KNOBS["words"].sets) == set(WORD_SETS) == TASK.word_sets
    for name in core.list_tasks():
        sets = TASKS.load(name)().word_sets
        assert {"paraphrase_seen", "paraphrase_unseen", "letters", "spelled", "appearance"} <= sets
        assert sets <= set(KNOBS["words"].sets)
    # Words that send the reader to a picture name no stones.
    with pytest.raises(CapabilityError, match="no words 'letters'; it has: none"):
        core.make_task(
            CopyPattern(given="picture"), backend="mujoco", cameras=(), perturbations={"words": "letters"}
        )


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


def said(task, words: str, seed: int) -> tuple[list[str], list[str]]:
    """The words of every move of a game, clean and from a set; the goals of both are the same."""
    texts = []
    for perturbations in ({}, {"words": words}):
        suite = make_suite(perturbations)
        scene = suite.prepare(task.stage(clean_scene()))
        texts.append(list(walk(task, suite.episode(task, scene, split="ci", seed=seed))))
    assert [ply.move.goal for ply in texts[0]] == [ply.move.goal for ply in texts[1]]
    return tuple([ply.move.instruction.text for ply in plies] for plies in texts)


@pytest.mark.parametrize("name", [name for name in core.list_tasks() if name != "place_stone"])
def test_every_move_of_a_game_is_said_in_the_words_of_the_set(name):
    """That the words name the goals is in ``core.testing.check_task``."""
    task = TASKS.load(name)()
    for words in task.word_sets:
        moves = 0
        for seed in range(4):
            for clean, other in zip(*said(task, words, seed), strict=True):
                moves += 1
                # Letters, spelled numbers and ordinals say "play the winning move" as it is.
                if words in ("letters", "spelled", "ordinal") and "winning move" in clean:
                    assert other == clean
                    continue
                assert other != clean
                if words != "negation":  # which names the other intersection in digits
                    digits = bool(re.search(r"\b\d\b", other))
                    assert digits == (words not in ("letters", "spelled", "ordinal", "common_sense")) or (
                        "winning" in clean
                    )
        assert moves >= 4


def test_moves_that_are_said_all_at_once_and_captures_are_reworded_too():
    for words, text in (("letters", r"black at [A-E][1-5], white at"), ("spelled", r"black at \(\w+, \w+\)")):
        _, texts = said(GoSequence(words="all"), words, 1)
        assert re.search(text, texts[0])
    captures = [
        text for seed in range(6) for text in said(GoSequence(), "letters", seed)[1] if "captured" in text
    ]
    assert captures and all(re.search(r"stone at [A-E][1-5] off the board", text) for text in captures)


@pytest.mark.parametrize("name", ["tic_tac_toe", "go_sequence"])
def test_later_moves_reach_the_policy_in_the_words_of_the_set(backend, make_env, name):
    env = make_env(backend, task=name, perturbations={"words": "letters"}, stop_on_success=True)
    info = play(env, seed=1)
    told = [placement["instruction"] for placement in info["moves"]["placements"]]
    assert info["success"] and len(told) > 1
    assert all(re.search(r"\b[A-E][1-5]\b", text) or "winning move" in text for text in told)
    assert sum(bool(re.search(r"\b[A-E][1-5]\b", text)) for text in told[1:]) >= 1
    assert env.episode.scene.board.labels


def test_a_game_that_was_saved_goes_on_in_the_same_words(backend, make_env):
    env = make_env(backend, task="tic_tac_toe", perturbations={"words": "spelled"})
    play(env, seed=1, steps=150)
    assert env.info()["moves"]["index"] >= 1
    saved, text = env.save_state(), env.move.instruction.text
    env.reset(seed=2)
    observation, _ = env.load_state(saved)
    assert observation["instruction"] == text == env.move.instruction.text
