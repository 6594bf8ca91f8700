"""A pattern of stones, given in words, is to stand on the empty board; the order is free."""

from core.board.boards import Board, empty_board, random_board
from core.board.goals import Pattern, goal_of
from core.board.layout import lay_out
from core.errors import EpisodeInitializationError, OptionError, check_choice
from core.language.sentences import say
from core.seeding import stream
from core.task import Episode, Instruction, Move, Task, Wording
from core.world.scene import SceneSpec
from tasks.copy_pattern.rules import belongs, board_with, missing, pattern_of
from tasks.copy_pattern.words import PHRASINGS, PICTURE, WORD_SETS, instruct, parse, reword

GIVEN = ("words", "picture")
SPARE = 1  # stones of each colour on the table beyond those that the pattern needs


class CopyPattern(Task):
    """Reproduce a pattern of two to six stones.

    Args:
        stones: fewest and most stones of a drawn pattern.
        pattern: the one to copy; None draws one for each seed.
        given: ``"words"`` lists the stones; ``"picture"`` sends the reader to ``Environment.goal_picture``,
            so that the words alone name no goal.

    Raises:
        OptionError: if the range is empty or begins below one, or the pattern is given as something else.
    """

    name = "copy_pattern"
    max_steps = 1000

    def __init__(
        self, *, stones: tuple[int, int] = (2, 6), pattern: Pattern | None = None, given: str = "words"
    ):
        if given not in GIVEN:
            raise OptionError(f"a pattern cannot be given as {given!r}; valid: {', '.join(GIVEN)}")
        if not 1 <= stones[0] <= stones[1]:
            raise OptionError(f"stones must be (fewest, most) with 1 <= fewest <= most, got {stones!r}")
        self.stones, self.pattern, self.given = stones, pattern, given
        # Words that send the reader to a picture name no stones.
        words: frozenset[str] = frozenset(WORD_SETS if given == "words" else ())
        self.word_sets = words  # type: ignore[misc]  # of this instance; of others the class says it

    def make_episode(self, scene: SceneSpec, *, split: str, seed: int) -> Episode:
        rng, size = stream(split, seed, "goal"), scene.board.size
        count = int(rng.integers(self.stones[0], self.stones[1] + 1))
        if count > size * size:
            raise EpisodeInitializationError(f"a pattern of {count} stones does not fit on {size} x {size}")
        pattern = self.pattern or pattern_of(random_board(rng, size, count))
        board_with(pattern, size)  # must fit
        colors = [stone.color for stone in pattern.stones]
        table = {color: colors.count(color) + SPARE for color in ("black", "white")}
        phrasing = PHRASINGS[int(stream(split, seed, "phrasing").integers(len(PHRASINGS)))]
        words = instruct(pattern, phrasing) if self.given == "words" else say(PICTURE, {})
        return Episode(
            task=self.name,
            split=split,
            seed=int(seed),
            scene=scene,
            state=lay_out(scene, board=empty_board(size), table=table, rng=stream(split, seed, "layout")),
            moves=(Move(goal=pattern, instruction=words),),
            later_moves=len(pattern.stones) - 1,
        )

    def next_move(self, episode: Episode, boards: tuple[Board, ...]) -> Move | None:
        rest = missing(goal_of(Pattern, episode.goal), boards[-1])
        return Move(goal=rest, instruction=episode.instruction) if rest.stones else None

    def is_legal(self, episode: Episode, boards: tuple[Board, ...], board: Board) -> bool:
        return belongs(goal_of(Pattern, episode.goal), board)

    def reword(self, episode: Episode, move: Move, wording: Wording) -> Instruction:
        check_choice("words", wording.words, self.word_sets)
        return reword(goal_of(Pattern, episode.goal), wording)

    def read(self, text: str, board: Board) -> tuple[Pattern, ...]:
        return (missing(parse(text, len(board)), board),)
