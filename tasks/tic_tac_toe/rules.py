"""Tic-tac-toe on the middle 3 x 3 intersections, named as on the 5 x 5 board.

       column 1   2   3
row 1         0   1   2
row 2         3   4   5      the numbers are open_spiel's actions
row 3         6   7   8
"""

from tasks.versus.rules import LineGame

GAME = LineGame(name="tic_tac_toe", size=3, origin=(1, 1))
