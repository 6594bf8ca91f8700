"""The same sentence about the mirrored intersection: row and column exchanged, all other words as they are.

It names a real intersection of the same board in the same kind of words, so that nothing but the coordinates
tells it from the original: a counterfactual for explaining, a hard negative for learning.
"""

from core.task import Instruction, Span


def swapped(instruction: Instruction, *, prefix: str = "") -> Instruction | None:
    """An instruction whose row and column have changed places.

    Args:
        instruction: with the spans ``row_digit`` and ``column_digit``: numbers or ordinals.
        prefix: of the spans, such as ``from_``.

    Returns:
        The other instruction with its spans; None where there are no such spans (places), one is a letter and
        the other a number, or both are the same, so that there is nothing to exchange.
    """
    spans = instruction.spans
    row, column = spans.get(f"{prefix}row_digit"), spans.get(f"{prefix}column_digit")
    if row is None or column is None:
        return None
    first, second = sorted((row, column), key=lambda span: span.start)
    text = instruction.text
    one, other = text[first.start : first.end], text[second.start : second.end]
    if one == other or one.isdigit() != other.isdigit() or first.end > second.start:
        return None
    middle = text[first.end : second.start]
    grown = len(other) - len(one)
    made = text[: first.start] + other + middle + one + text[second.end :]

    def moved(place: int) -> int:
        return place + (grown if first.end <= place <= second.start else 0)

    shifted = {name: Span(start=moved(span.start), end=moved(span.end)) for name, span in spans.items()}
    return Instruction(text=made, spans=shifted)
