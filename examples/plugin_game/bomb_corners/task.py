"""The robot's job: it plays both colours, and the words name one corner at a time."""

from bomb_corners.rules import CORNERS, cell_of, free_corners, to_move
from bomb_corners.words import PHRASINGS, instruct, parse
from core import (
    COLORS,
    Board,
    Episode,
    Intersection,
    Move,
    SceneSpec,
    Task,
    board_after,
    empty_board,
    lay_out,
    stream,
    with_cell,
)


class Corners(Task):
    """Take the corners of the board in turn."""

    name = "corners"
    max_steps = 800

    def make_episode(self, scene: SceneSpec, *, split: str, seed: int) -> Episode:
        size = scene.board.size
        order = [tuple(CORNERS)[k] for k in stream(split, seed, "goal").permutation(len(CORNERS))]
        phrasing = PHRASINGS[int(stream(split, seed, "phrasing").integers(len(PHRASINGS)))]
        board, moves = empty_board(size), []
        for corner in order:
            words = instruct(to_move(board), corner, phrasing)
            goal = parse(words.text, size)
            moves.append(Move(goal=goal, instruction=words))
            board = board_after(board, goal)
        layout = stream(split, seed, "layout")
        return Episode(
            task=self.name,
            split=split,
            seed=seed,
            scene=scene,
            state=lay_out(scene, board=empty_board(size), table={"black": 3, "white": 3}, rng=layout),
            moves=tuple(moves),
        )

    def is_legal(self, episode: Episode, boards: tuple[Board, ...], board: Board) -> bool:
        before, color = boards[-1], to_move(boards[-1])
        return board in [
            with_cell(before, cell_of(corner, len(board)), COLORS[color]) for corner in free_corners(before)
        ]

    def read(self, text: str, board: Board) -> tuple[Intersection, ...]:
        return (parse(text, len(board)),)
