"""The same sentence with row and column exchanged."""

import pytest

from core.language.swapping import swapped
from core.task import Instruction, Intersection, Span
from tasks.place_stone.words import PHRASINGS, WORD_SETS, instruct, parse


def spoken(instruction):
    return {name: instruction.text[span.start : span.end] for name, span in instruction.spans.items()}


@pytest.mark.parametrize("words", ["", *WORD_SETS])
def test_the_other_sentence_names_the_mirrored_intersection(words):
    goal, mirrored = (Intersection(row=r, column=c, color="white") for r, c in ((1, 4), (4, 1)))
    for phrasing in WORD_SETS.get(words, PHRASINGS):
        said = instruct(goal, phrasing, words=words, other="row 3, column 3")
        other = swapped(said)
        if other is None:
            assert words in ("letters", "common_sense")  # E2, the middle of the board
            continue
        assert parse(other.text) == mirrored
        before, after = spoken(said), spoken(other)
        assert (after["row_digit"], after["column_digit"]) == (before["column_digit"], before["row_digit"])
        assert after["color"] == before["color"] and after["row"] != before["row"]


def test_numbers_may_be_of_different_lengths():
    said = Instruction(
        text="at row 10, column 2 of it",
        spans={
            "row": Span(start=3, end=9), "row_digit": Span(start=7, end=9), "it": Span(start=23, end=25),
            "column": Span(start=11, end=19), "column_digit": Span(start=18, end=19),
        },
    )  # fmt: skip
    other = swapped(said)
    assert other.text == "at row 2, column 10 of it"
    assert spoken(other) == {
        "row": "row 2", "row_digit": "2", "it": "it", "column": "column 10", "column_digit": "10"
    }  # fmt: skip
    assert swapped(other) == said


@pytest.mark.parametrize(
    "spans", [{}, {"row_digit": Span(start=4, end=5)},
              {"row_digit": Span(start=4, end=5), "column_digit": Span(start=14, end=15)}]
)  # fmt: skip
def test_what_has_nothing_to_exchange_has_no_other(spans):
    assert swapped(Instruction(text="row 2, column 2", spans=spans)) is None
