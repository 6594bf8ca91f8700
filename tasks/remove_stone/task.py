"""A stone of the board is to go into the marked area beside it; which stone, the words say."""

from dataclasses import replace

from core.board.boards import COLOR_NAMES, Board, cells, random_board
from core.board.goals import Region, goal_of
from core.board.layout import board_of, lay_out
from core.errors import check_choice
from core.seeding import stream
from core.task import Episode, Instruction, Move, Task, Wording
from core.world.scene import SceneSpec
from core.world.stage import TRAY
from tasks.remove_stone.words import PHRASINGS, WORD_SETS, instruct, parse, removal, reword

STONES = (2, 8)  # on the board, fewest and most
LOOSE = 2  # of each colour on the table, on the other side of the board than the marked area


class RemoveStone(Task):
    """Take the stone on the named intersection off the board into the marked area."""

    name = "remove_stone"
    word_sets = frozenset(WORD_SETS)
    layout_knobs = Task.layout_knobs | {"stone_amount"}

    def stage(self, scene: SceneSpec) -> SceneSpec:
        return replace(scene, marks=(*scene.marks, TRAY))

    def make_episode(self, scene: SceneSpec, *, split: str, seed: int) -> Episode:
        rng = stream(split, seed, "goal")
        board = random_board(rng, scene.board.size, int(rng.integers(STONES[0], STONES[1] + 1)))
        taken = cells(board, occupied=True)
        source = taken[int(rng.integers(len(taken)))]
        goal = removal(COLOR_NAMES[board[source[0]][source[1]]], source)
        phrasing = PHRASINGS[int(stream(split, seed, "phrasing").integers(len(PHRASINGS)))]
        layout, loose = stream(split, seed, "layout"), {"black": LOOSE, "white": LOOSE}
        return Episode(
            task=self.name,
            split=split,
            seed=int(seed),
            scene=scene,
            state=lay_out(scene, board=board, table=loose, rng=layout),
            moves=(Move(goal=goal, instruction=instruct(goal, phrasing)),),
        )

    def could_be_meant(self, episode: Episode) -> int:
        """A stone of the board."""
        return len(cells(board_of(episode.state, episode.scene), occupied=True))

    def reword(self, episode: Episode, move: Move, wording: Wording) -> Instruction:
        check_choice("words", wording.words, WORD_SETS)
        return reword(goal_of(Region, move.goal), wording, episode.scene.board.size)

    def read(self, text: str, board: Board) -> tuple[Region, ...]:
        return (parse(text, len(board)),)
