"""Plain shapes of the robot's links: few triangles, about as large as what is drawn."""

import numpy as np

from core.world.robot_outlines import robot_outlines
from core.world.robot_visuals import robot_visuals
from core.world.rotations import matrix_from_quaternion


def test_every_drawn_link_has_one_with_its_extent_and_few_triangles():
    drawn: dict[str, list[np.ndarray]] = {}
    for link, visual in robot_visuals():
        R_BV = matrix_from_quaternion(visual.X_BV.q)
        drawn.setdefault(link, []).append(visual.mesh.vertices @ R_BV.T + np.array(visual.X_BV.p))
    outlines = dict(robot_outlines(600, 0.0005))
    assert list(outlines) == list(drawn)
    for link, mesh in outlines.items():
        assert 50 < len(mesh.faces) <= 600
        seen = np.concatenate(drawn[link])
        for end, inwards in ((np.min, 1), (np.max, -1)):
            gap = inwards * (end(mesh.vertices, axis=0) - end(seen, axis=0))
            assert (gap > -0.003).all() and (gap < 0.01).all(), (link, gap)
