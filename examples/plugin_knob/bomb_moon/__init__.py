"""Two perturbations for BOMB from outside of its repository."""

from bomb_moon.glare import Glare
from bomb_moon.moon import Moon

__all__ = ["Glare", "Moon"]
