"""The rules of the games, and their words: tables of positions, and bad input by name."""

import pytest

import core
from core.board.boards import Board, cells, with_cell
from core.board.goals import Intersection, Pattern, Region
from core.errors import EpisodeInitializationError, OptionError, UnknownNameError
from core.registry import TASKS
from core.testing import walk
from core.world.stage import TRAY, clean_scene
from tasks.copy_pattern import CopyPattern
from tasks.copy_pattern.rules import belongs, board_with, missing
from tasks.four_in_a_row import FourInARow
from tasks.four_in_a_row.rules import GAME as FOUR
from tasks.go_sequence import GoSequence
from tasks.go_sequence.rules import Go
from tasks.move_stone import MoveStone
from tasks.remove_stone import RemoveStone
from tasks.tic_tac_toe import TicTacToe
from tasks.tic_tac_toe.rules import GAME as THREE

SCENE = clean_scene()


def board(text: str) -> Board:
    """A board drawn as ``X`` black, ``O`` white, ``.`` empty."""
    return tuple(tuple(".XO".index(mark) for mark in line.split()) for line in text.strip().splitlines())


EMPTY = board("\n".join([". . . . ."] * 5))
X_WINS_AT_1_3 = board("""
. . . . .
. X X . .
. . O . .
. . O . .
. . . . .
""")
X_BLOCKS_AT_1_2 = board("""
. . . . .
. . . . .
. X O . .
. . O X .
. . . . .
""")
X_HAS_FOUR = board("""
O . . . .
. X X X X
. . O . .
. O . . .
. . O . .
""")
X_COMPLETES_A_DIAGONAL = board("""
. . . . O
. X . . .
. O X . .
O . . X .
. . . . .
""")


@pytest.mark.parametrize(
    ("game", "position", "to_move", "winner"),
    [
        (THREE, EMPTY, "black", None),
        (THREE, X_WINS_AT_1_3, "black", None),
        (THREE, X_BLOCKS_AT_1_2, "black", None),
        (FOUR, EMPTY, "black", None),
    ],
)
def test_whose_turn_it_is(game, position, to_move, winner):
    assert game.to_move(position) == to_move and game.winner(position) == winner


def test_a_row_of_three_wins():
    assert THREE.winning(X_WINS_AT_1_3) == [(1, 3)]
    after = THREE.play(X_WINS_AT_1_3, (1, 3))
    assert THREE.winner(after) == "black" and THREE.to_move(after) is None and THREE.legal(after) == []
    with pytest.raises(OptionError, match="the game is over"):
        THREE.play(after, (3, 3))


def test_a_threat_has_one_answer():
    assert THREE.winning(X_BLOCKS_AT_1_2) == [] and THREE.blocking(X_BLOCKS_AT_1_2) == [(1, 2)]
    assert set(THREE.blocking(EMPTY)) == set(THREE.legal(EMPTY))


def test_four_in_a_row_wins_whichever_stone_was_the_last():
    assert FOUR.winner(with_cell(X_HAS_FOUR, (0, 0), 0)) == "black"


@pytest.mark.parametrize(
    ("position", "message"),
    [
        (X_HAS_FOUR, "the game was over before its last stone"),
        (with_cell(EMPTY, (1, 1), 2), "0 black and 1 white stones: they move in turns"),
    ],
)
def test_positions_that_no_game_leads_to_are_refused(position, message):
    with pytest.raises(OptionError, match=message):
        FOUR.state(position)


def test_diagonals_count():
    assert FOUR.to_move(X_COMPLETES_A_DIAGONAL) == "black"
    assert FOUR.winning(X_COMPLETES_A_DIAGONAL) == [(0, 0), (4, 4)]


def test_tic_tac_toe_is_played_in_the_middle():
    assert THREE.legal(EMPTY) == [(r, c) for r in (1, 2, 3) for c in (1, 2, 3)]
    assert len(FOUR.legal(EMPTY)) == 25


@pytest.mark.parametrize(
    ("game", "position", "cell", "message"),
    [
        (THREE, X_WINS_AT_1_3, (1, 1), r"\(1, 1\): a stone stands there; free: \[\(1, 3\)"),
        (THREE, EMPTY, (0, 0), r"not played on \(0, 0\)"),
        (FOUR, EMPTY, (5, 0), r"not played on \(5, 0\)"),
    ],
)
def test_illegal_moves_are_named(game, position, cell, message):
    with pytest.raises(OptionError, match=message):
        game.play(position, cell)


def test_go_takes_a_stone_without_liberties():
    game = Go(5, ((0, 1), (0, 0)))
    assert game.to_move == "black" and game.captures((1, 0)) == [(0, 0)]
    assert game.play((1, 0)) == [(0, 0)]
    assert cells(game.board, occupied=True) == [(0, 1), (1, 0)]
    assert game.board[0][1] == game.board[1][0] == 1
    with pytest.raises(OptionError, match=r"white may not play \(0, 0\); legal: "):
        game.play((0, 0))  # suicide
    with pytest.raises(OptionError, match=r"may not play \(0, 1\)"):
        game.play((0, 1))


def test_every_go_episode_captures_sooner_or_later():
    task = GoSequence()
    scene = task.stage(SCENE)
    games = [task.make_episode(scene, split="ci", seed=seed) for seed in range(60)]
    taken = [sum(isinstance(ply.move.goal, Region) for ply in walk(task, game)) for game in games]
    assert sum(count > 0 for count in taken) > 20 and max(taken) <= 4
    texts = {game.instruction.text.split(" ")[1] for game in games}
    assert texts == {"these", "the", "black", "white"}


@pytest.mark.parametrize("task", [TicTacToe(), FourInARow()], ids=lambda task: task.name)
def test_words_name_moves_and_intents(task):
    said = set()
    for seed in range(60):
        for ply in walk(task, task.make_episode(SCENE, split="ci", seed=seed)):
            text = ply.move.instruction.text
            said.add(
                "win"
                if "winning move" in text and "block" not in text
                else "block"
                if "block" in text
                else "move"
            )
            assert task.read(text, ply.before) == (ply.move.goal,)
    assert said == {"win", "block", "move"}


def test_an_intent_without_exactly_one_answer_is_refused():
    with pytest.raises(OptionError, match="has 0 answers here"):
        TicTacToe().read("you play black: play the winning move", EMPTY)


def test_canonical_words():
    assert MoveStone().read("move the white stone from row 1, column 2 to row 4, column 0", EMPTY) == (
        Intersection(color="white", row=4, column=0, source=(1, 2)),
    )
    (goal,) = RemoveStone().read(
        "take the black stone at row 3, column 1 off the board and put it into the marked area", EMPTY
    )
    assert goal == Region(color="black", center=TRAY.center, half_size=TRAY.half_size, source=(3, 1))
    pattern = Pattern(
        stones=(Intersection(color="black", row=0, column=1), Intersection(color="white", row=2, column=3))
    )
    text = "set up this pattern on the board: black at (0, 1), white at (2, 3)"
    assert CopyPattern().read(text, EMPTY) == (pattern,)
    assert CopyPattern().read(text, board_with(pattern, 5))[0].stones == ()


@pytest.mark.parametrize("name", core.list_tasks())
@pytest.mark.parametrize(
    "text", ["dance", "move the green stone from row 1, column 2 to row 4, column 0", ""]
)
def test_foreign_words_are_refused(name, text):
    with pytest.raises(OptionError):
        TASKS.load(name)().read(text, EMPTY)


def test_patterns():
    pattern = Pattern(
        stones=(Intersection(color="black", row=0, column=1), Intersection(color="white", row=2, column=3))
    )
    whole = board_with(pattern, 5)
    assert belongs(pattern, EMPTY) and belongs(pattern, whole)
    assert missing(pattern, whole).stones == () and missing(pattern, EMPTY) == pattern
    assert not belongs(pattern, X_WINS_AT_1_3)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: CopyPattern(stones=(3, 2)), OptionError, r"stones must be .* got \(3, 2\)"),
        (
            lambda: episode(CopyPattern(stones=(26, 26))),
            EpisodeInitializationError,
            "26 stones does not fit on 5 x 5",
        ),
        (
            lambda: episode(CopyPattern(stones=(22, 22), given="picture")),
            EpisodeInitializationError,
            "room for 20|the pool holds 12",
        ),
        (lambda: episode(pattern_at(5, 0)), OptionError, r"a stone on \(5, 0\); the board is 5 x 5"),
        (lambda: episode(pattern_at(1, 1, 1, 1)), OptionError, r"two stones on \(1, 1\)"),
        (lambda: GoSequence(moves=0), OptionError, "moves must be an integer from 1 to 6, got 0"),
        (lambda: GoSequence(words="some"), OptionError, "'some'; valid: each, all"),
        (lambda: TicTacToe(opponent="perfect"), OptionError, "'perfect'; valid: random, search"),
        (
            lambda: core.make_task("chess", backend="mujoco"),
            UnknownNameError,
            "valid: copy_pattern, four_in_a_row",
        ),
    ],
)
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message):
        make()


def episode(task):
    return task.make_episode(SCENE, split="ci", seed=0)


def pattern_at(*numbers: int) -> CopyPattern:
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    return CopyPattern(
        pattern=Pattern(stones=tuple(Intersection(color="black", row=r, column=c) for r, c in pairs))
    )
