"""Plain shapes that cast the robot's shadow in place of what is seen of it.

The renderer draws the robot four more times for the sun's shadow. Nobody sees small triangles there: one mesh
for each link, with a part of them, takes a sixth off a frame. With half as many, or 2 mm below the surface, a
frame takes 3% less and shadows on the robot end visibly elsewhere than SAPIEN's (docs/parity.md). They are
inside the surface, so that the robot does not shade itself with them. The camera does not see them: their
material draws in a rectangle beyond every picture, and shadow maps do not ask for it.
"""

import numpy as np
from mujoco import mjrf

from backends.mujoco.filament import Uploads, make_mesh
from core.world.robot_outlines import robot_outlines
from core.world.rotations import Pose

_MOST = 600  # triangles of one link
_DEPTH = 0.0005  # m, below the surface
BEYOND = np.array((65535, 65535, 1, 1), dtype=np.float32)  # pixels: left, bottom, width, height


def add_casters(
    context: mjrf.Context, scene: mjrf.Scene, uploads: Uploads
) -> list[tuple[str, mjrf.Renderable]]:
    """Adds what casts the robot's shadow: (link name, renderable), posed as the link is."""
    casters = []
    for link, mesh in robot_outlines(_MOST, _DEPTH):
        renderable = context.create_renderable(mjrf.RenderableParams(cast_shadow=True, receive_shadow=False))
        renderable.set_mesh(*make_mesh(context, mesh, Pose(), uploads))
        renderable.set_material(mjrf.Material(specular=0.0, glossiness=0.0, scissor=BEYOND))
        scene.add_renderable(renderable)
        casters.append((link, renderable))
    return casters
