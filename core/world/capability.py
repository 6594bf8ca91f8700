"""What a backend may be able to do."""

from enum import Enum


class Capability(Enum):
    """One thing a backend declares that it can do; asking for a missing one raises ``CapabilityError``."""

    RGB = "rgb"
    DEPTH = "depth"
    SEGMENTATION = "segmentation"
    CONTACT_FORCES = "contact_forces"
    CONTACT_FRICTION = "contact_friction"  # their part along the surface
    LIVE_MATERIALS = "live_materials"
    LIVE_LIGHTS = "live_lights"
    LIVE_CAMERAS = "live_cameras"
    LIVE_SHADOWS = "live_shadows"
    LIVE_POSES = "live_poses"  # of table, board and other static bodies
    LIVE_PHYSICS = "live_physics"  # friction, gravity and masses
    LIVE_SHAPES = "live_shapes"  # of stones
    STATIC_OBJECTS = "static_objects"
