"""What a task says is inside of the observation space, whoever wrote the task."""

import pytest

from core.errors import InstructionError
from core.rendering.instruction_space import InstructionSpace
from core.task import Instruction, Span


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "1 to 256 characters, got 0"),
        ("a" * 257, "got 257"),
        ("a" * 400, "got 400"),
        ("setze den Stein auf das Brett in Köln", "printable ASCII, got '\\\\xf6'"),
        ("two\nlines", "printable ASCII, got '\\\\n'"),
        (b"bytes", "must be text, got bytes"),
        (None, "must be text, got NoneType"),
    ],
)
def test_text_outside_of_the_space_is_refused_where_it_is_said(text, words):
    with pytest.raises(InstructionError, match=words):
        Instruction(text=text)


def test_a_span_outside_of_the_text_is_refused():
    with pytest.raises(InstructionError, match="span 'row' is 2:9"):
        Instruction(text="place", spans={"row": Span(start=2, end=9)})


@pytest.mark.parametrize("text", ["a", "~" * 256, "place the stone"])
def test_what_may_be_said_is_in_the_space(text):
    assert InstructionSpace().contains(Instruction(text=text).text)
