"""The task of the BOMB study: one stone, one intersection, exactly."""

from core.board.boards import Board, cells
from core.board.goals import goal_of
from core.board.layout import board_of, loose_colors
from core.errors import check_choice
from core.language.styles import say_other
from core.seeding import stream
from core.task import Episode, Instruction, Intersection, Move, Task, Wording
from core.world.scene import SceneSpec
from tasks.place_stone.layout import LayoutSpec, make_layout
from tasks.place_stone.words import PHRASINGS, WORD_SETS, instruct, parse


class PlaceStone(Task):
    """Pick the nearest stone of the named colour and set it on the named intersection.

    Args:
        layout: what layouts may look like.
    """

    name = "place_stone"
    word_sets = frozenset(WORD_SETS)
    layout_knobs = Task.layout_knobs | {"stone_amount", "stone_layout"}

    def __init__(self, *, layout: LayoutSpec | None = None):
        self.layout = layout or LayoutSpec()

    def make_episode(self, scene: SceneSpec, *, split: str, seed: int) -> Episode:
        rng = stream(split, seed, "goal")
        n = scene.board.size
        goal = Intersection(
            color=("black", "white")[int(rng.integers(2))],
            row=int(rng.integers(n)),
            column=int(rng.integers(n)),
        )
        phrasing = PHRASINGS[int(stream(split, seed, "phrasing").integers(len(PHRASINGS)))]
        state = make_layout(scene, goal, stream(split, seed, "layout"), self.layout)
        return Episode(
            task=self.name,
            split=split,
            seed=int(seed),
            scene=scene,
            state=state,
            moves=(Move(goal=goal, instruction=instruct(goal, phrasing)),),
        )

    def read(self, text: str, board: Board) -> tuple[Intersection, ...]:
        return (parse(text),)

    def could_be_meant(self, episode: Episode) -> int:
        """A colour that lies on the table, and a free intersection."""
        free = cells(board_of(episode.state, episode.scene), occupied=False)
        return len(free) * len(loose_colors(episode.state, episode.scene))

    def reword(self, episode: Episode, move: Move, wording: Wording) -> Instruction:
        size, goal = episode.scene.board.size, goal_of(Intersection, move.goal)
        sentence = wording.pick(WORD_SETS[check_choice("words", wording.words, WORD_SETS)])
        other = say_other((goal.row, goal.column), wording.other, size)
        return instruct(goal, sentence, words=wording.words, other=other, size=size)
