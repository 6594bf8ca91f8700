"""A few moves of Go in alternating colours; each stone placed or taken off is a move of the robot's."""

from dataclasses import replace

import numpy as np

from core.board.boards import Board, Cell, cells
from core.board.goals import Goal, Intersection, Pattern, Region, board_after
from core.board.layout import lay_out
from core.errors import EpisodeInitializationError, OptionError, check_choice, check_integer
from core.seeding import stream
from core.task import Episode, Instruction, Move, Task, Wording
from core.world.scene import SceneSpec
from core.world.stage import TRAY
from tasks.go_sequence.rules import Go
from tasks.go_sequence.words import CAPTURES, MOVE_SETS, MOVES, name_all, name_move, parse, reword

OPENING = (6, 14)  # moves before the robot's first, fewest and most
MOST_CAPTURES = 4  # stones to be taken off in one episode
SPARE = 1  # stones of each colour on the table beyond those that are placed
TRIES = 200
WORDS = ("each", "all")


class GoSequence(Task):
    """Play moves of 5 x 5 Go in alternating colours and take captured stones off the board.

    Args:
        moves: of Go; stones that are taken off come on top.
        words: ``"each"`` names one move at a time, ``"all"`` all of them at once (but each capture when it is
            due); None draws one for each seed.

    Raises:
        OptionError: if a value is not allowed.
    """

    name = "go_sequence"
    word_sets = frozenset(MOVE_SETS)
    max_steps = 1400

    def __init__(self, *, moves: int = 4, words: str | None = None):
        if words not in (None, *WORDS):
            raise OptionError(f"unknown words {words!r}; valid: {', '.join(WORDS)}")
        self.moves, self.words = check_integer("moves", moves, least=1, most=6), words

    def stage(self, scene: SceneSpec) -> SceneSpec:
        return replace(scene, marks=(*scene.marks, TRAY))

    def make_episode(self, scene: SceneSpec, *, split: str, seed: int) -> Episode:
        board, played = self._draw(scene, stream(split, seed, "goal"))
        said = stream(split, seed, "phrasing")
        words = self.words or WORDS[int(said.integers(len(WORDS)))]
        phrasing = MOVES[int(said.integers(len(MOVES)))]
        together = name_all([(color, cell) for color, cell, _ in played])
        moves: list[Move] = []
        for color, cell, taken in played:
            goal: Goal = Intersection(color=color, row=cell[0], column=cell[1])
            moves.append(Move(goal=goal, instruction=name_move(color, cell, phrasing)))
            other = "white" if color == "black" else "black"
            for dead in taken:
                moves.append(
                    Move(goal=_removal(other, dead), instruction=name_move(other, dead, CAPTURES[0]))
                )
        if words == "all":
            moves = [
                replace(move, instruction=together) if isinstance(move.goal, Intersection) else move
                for move in moves
            ]
        colors = [color for color, _, _ in played]
        table = {color: colors.count(color) + SPARE for color in ("black", "white")}
        layout = stream(split, seed, "layout")
        return Episode(
            task=self.name,
            split=split,
            seed=int(seed),
            scene=scene,
            state=lay_out(scene, board=board, table=table, rng=layout),
            moves=tuple(moves),
        )

    def is_legal(self, episode: Episode, boards: tuple[Board, ...], board: Board) -> bool:
        goal = episode.moves[len(boards) - 1].goal
        return not isinstance(goal, Pattern) and board == board_after(boards[-1], goal)

    def reword(self, episode: Episode, move: Move, wording: Wording) -> Instruction:
        check_choice("words", wording.words, MOVE_SETS)
        return reword(move.instruction.text, wording, episode.scene.board.size)

    def read(self, text: str, board: Board) -> tuple[Goal, ...]:
        kind, stones = parse(text, len(board))
        if kind == "capture":
            return tuple(_removal(stone.color, (stone.row, stone.column)) for stone in stones)
        return tuple(stones)

    def _draw(
        self, scene: SceneSpec, rng: np.random.Generator
    ) -> tuple[Board, list[tuple[str, Cell, list[Cell]]]]:
        """A position, and the moves from it: colour, intersection, stones taken."""
        for _ in range(TRIES):
            game = Go(scene.board.size)
            for _ in range(int(rng.integers(OPENING[0], OPENING[1] + 1))):
                if game.legal():
                    game.play(_choose(game, rng))
            board, played = game.board, []
            for _ in range(self.moves):
                if not game.legal():
                    break
                color, cell = game.to_move, _choose(game, rng)
                played.append((color, cell, game.play(cell)))
            taken = sum(len(dead) for _, _, dead in played)
            stones = max(len([0 for r, c in cells(board, occupied=True) if board[r][c] == k]) for k in (1, 2))
            if len(played) == self.moves and taken <= MOST_CAPTURES and stones + self.moves // 2 + SPARE < 12:
                return board, played
        raise EpisodeInitializationError(
            f"no game with {self.moves} moves to play was found in {TRIES} tries"
        )


def _choose(game: Go, rng: np.random.Generator) -> Cell:
    """A random move; one that captures, more often than not, where there is one."""
    legal = game.legal()
    capturing = [cell for cell in legal if game.captures(cell)]
    choice = capturing if capturing and rng.random() < 0.7 else legal
    return choice[int(rng.integers(len(choice)))]


def _removal(color: str, source: Cell) -> Region:
    return Region(color=color, center=TRAY.center, half_size=TRAY.half_size, source=source)
