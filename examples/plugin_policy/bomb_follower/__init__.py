"""A policy for BOMB from outside of its repository, by name and by address."""

from bomb_follower.policy import Follower, Seeker

__all__ = ["Follower", "Seeker"]
