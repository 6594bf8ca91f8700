"""The words of ``copy_pattern``: the stones in a list."""

from core.board.goals import Intersection, Pattern
from core.language.sentences import Phrasing, phrasings, read_cells, say, say_list
from core.task import Instruction, Wording

PHRASINGS: tuple[Phrasing, ...] = (
    Phrasing(name="canonical", template="set up this pattern on the board: {stones}"),
    Phrasing(name="place", template="place these stones on the board, in any order: {stones}"),
    Phrasing(name="copy", template="make the board show {stones}"),
)
PICTURE = Phrasing(name="picture", template="set up the pattern of the goal picture on the board")

# Sentences of the knob `words`, by set; letters, spelled and appearance say the list in their own way.
WORD_SETS: dict[str, tuple[Phrasing, ...]] = {
    "paraphrase_seen": phrasings(
        "paraphrase_seen",
        "put these stones on the board: {stones}",
        "lay this pattern out on the board: {stones}",
        "the board gets these stones: {stones}",
    ),
    "paraphrase_unseen": phrasings(
        "paraphrase_unseen",
        "could you arrange the board like this? {stones}",
        "I want to see these stones on the board: {stones}",
        "fill these points of the board: {stones}",
    ),
    **{
        words: phrasings(
            words,
            "set up this pattern on the board: {stones}",
            "place these stones on the board, in any order: {stones}",
        )
        for words in ("letters", "spelled")
    },
    "appearance": phrasings("appearance", "place these small discs on the board, in any order: {stones}"),
}


def instruct(pattern: Pattern, phrasing: Phrasing, words: str = "") -> Instruction:
    """Says the pattern; the span ``stones`` is the list."""
    stones = [(stone.color, (stone.row, stone.column)) for stone in pattern.stones]
    return say(phrasing, {"stones": say_list(stones, words)})


def reword(pattern: Pattern, wording: Wording) -> Instruction:
    """Says the pattern in the sentences of a set."""
    return instruct(pattern, wording.pick(WORD_SETS[wording.words]), wording.words)


def parse(text: str, size: int = 5) -> Pattern:
    """Reads a pattern back.

    Raises:
        OptionError: if the words fit no phrasing.
    """
    said = read_cells({"": PHRASINGS, **WORD_SETS}, text, size=size, lists=["stones"])
    return Pattern(
        stones=tuple(Intersection(color=color, row=r, column=c) for color, (r, c) in said.lists["stones"])
    )
