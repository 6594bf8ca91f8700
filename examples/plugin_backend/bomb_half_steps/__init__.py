"""A backend for BOMB from outside of its repository."""

from bomb_half_steps.backend import HalfSteps

__all__ = ["HalfSteps"]
