"""What the reader that comes with BOMB makes of sentences."""

import pytest

from bomb.models.keypoint.checkpoint import SHIPPED, read_model
from bomb.models.keypoint.words import tokens_of
from core.board.goals import Intersection
from tasks.place_stone.words import PHRASINGS, WORD_SETS, instruct


@pytest.fixture(scope="module")
def reader():
    return read_model(SHIPPED).reader


def share_right(reader, words: str, phrasings) -> float:
    goals = [(c, r, k) for c in ("black", "white") for r in range(5) for k in range(5)]
    right = 0
    for phrasing in phrasings:
        for color, row, column in goals:
            goal = Intersection(color=color, row=row, column=column)
            read = reader.read(instruct(goal, phrasing, words=words).text)
            right += (read.color, read.row, read.column) == (color, row, column)
    return right / (len(phrasings) * len(goals))


def test_it_reads_the_forms_of_the_task(reader):
    assert share_right(reader, "", PHRASINGS) == 1.0


@pytest.mark.parametrize("words", ["paraphrase_seen", "letters", "spelled", "ordinal"])
def test_it_reads_what_it_was_taught(reader, words):
    assert share_right(reader, words, WORD_SETS[words]) >= 0.99


def test_it_reads_paraphrases_that_it_has_never_seen(reader):
    assert share_right(reader, "paraphrase_unseen", WORD_SETS["paraphrase_unseen"]) >= 0.9


def test_words_that_ask_for_nothing_are_guessed_without_certainty(reader):
    certainty = reader.read("").certainty
    assert max(certainty["row"], certainty["column"]) < 0.9
    reader.read("?" * 500)


def test_tokens():
    assert tokens_of("Put the black stone on E4, at (3,4).") == [
        "put", "the", "black", "stone", "on", "e", "4", ",", "at", "(", "3", ",", "4", ")", "."
    ]  # fmt: skip
