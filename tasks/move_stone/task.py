"""A stone of the board is to stand elsewhere on it; which stone, the words say."""

from core.board.boards import COLOR_NAMES, Board, cells, random_board
from core.board.goals import Intersection, goal_of
from core.board.layout import board_of, lay_out
from core.errors import check_choice
from core.seeding import stream
from core.task import Episode, Instruction, Move, Task, Wording
from core.world.scene import SceneSpec
from tasks.move_stone.words import PHRASINGS, WORD_SETS, instruct, parse, reword

STONES = (3, 8)  # on the board, fewest and most
LOOSE = 2  # of each colour on the table: no other stone than the named one will do


class MoveStone(Task):
    """Move the stone on the named intersection to another one."""

    name = "move_stone"
    word_sets = frozenset(WORD_SETS)
    layout_knobs = Task.layout_knobs | {"stone_amount"}

    def make_episode(self, scene: SceneSpec, *, split: str, seed: int) -> Episode:
        rng = stream(split, seed, "goal")
        board = random_board(rng, scene.board.size, int(rng.integers(STONES[0], STONES[1] + 1)))
        taken, free = cells(board, occupied=True), cells(board, occupied=False)
        source = taken[int(rng.integers(len(taken)))]
        row, column = free[int(rng.integers(len(free)))]
        goal = Intersection(
            color=COLOR_NAMES[board[source[0]][source[1]]], row=row, column=column, source=source
        )
        phrasing = PHRASINGS[int(stream(split, seed, "phrasing").integers(len(PHRASINGS)))]
        loose = {"black": LOOSE, "white": LOOSE}
        return Episode(
            task=self.name,
            split=split,
            seed=int(seed),
            scene=scene,
            state=lay_out(scene, board=board, table=loose, rng=stream(split, seed, "layout")),
            moves=(Move(goal=goal, instruction=instruct(goal, phrasing)),),
        )

    def could_be_meant(self, episode: Episode) -> int:
        """A stone of the board, and a free intersection."""
        board = board_of(episode.state, episode.scene)
        return len(cells(board, occupied=True)) * len(cells(board, occupied=False))

    def reword(self, episode: Episode, move: Move, wording: Wording) -> Instruction:
        check_choice("words", wording.words, WORD_SETS)
        return reword(goal_of(Intersection, move.goal), wording, episode.scene.board.size)

    def read(self, text: str, board: Board) -> tuple[Intersection, ...]:
        return (parse(text, len(board)),)
