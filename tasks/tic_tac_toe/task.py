"""Tic-tac-toe: the robot plays a whole game in the middle of the board."""

from tasks.tic_tac_toe.rules import GAME
from tasks.versus.task import Versus


class TicTacToe(Versus):
    """Play tic-tac-toe on the middle 3 x 3 intersections against an opponent."""

    name = "tic_tac_toe"
    max_steps = 800
    game = GAME
    openings = (0, 3)
