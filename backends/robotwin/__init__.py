"""The backend ``robotwin``: RoboTwin2's stage in SAPIEN."""

import warnings

with warnings.catch_warnings():
    # SAPIEN looks for Vulkan when it is imported and warns; core.rendering.graphics asks
    # when there are cameras.
    warnings.simplefilter("ignore")
    import sapien  # noqa: F401

from backends.robotwin.backend import RobotwinBackend

__all__ = ["RobotwinBackend"]
