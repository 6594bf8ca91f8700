"""The backend ``robotwin``: RoboTwin2's stage in SAPIEN."""

from backends.robotwin.backend import RobotwinBackend

__all__ = ["RobotwinBackend"]
