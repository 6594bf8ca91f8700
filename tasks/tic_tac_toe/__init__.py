"""Tic-tac-toe against an opponent."""

from tasks.tic_tac_toe.task import TicTacToe

__all__ = ["TicTacToe"]
