"""BOMB on MuJoCo."""

from backends.mujoco.backend import MujocoBackend

__all__ = ["MujocoBackend"]
