"""Corners: a small game for BOMB from outside of its repository."""

from bomb_corners.task import Corners

__all__ = ["Corners"]
