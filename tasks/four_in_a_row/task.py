"""Four in a row: the robot plays a game to its end, from an opening of random moves."""

from tasks.four_in_a_row.rules import GAME
from tasks.versus.task import Versus


class FourInARow(Versus):
    """Play four in a row on the whole board against an opponent."""

    name = "four_in_a_row"
    max_steps = 1400
    game = GAME
    openings = (6, 12)
