"""What ``keypoint`` looks at, and how its numbers are laid out; training and playing both read it here.

All key points lie on one plane, that of the board's top, z = 0 in R: a stone stands for the point of this
plane that is above or below its middle. So one homography turns pixels into metres, and another one of a
picture moves every label exactly. What fixes it are reference points that no mark shows: of the head camera
nine of the plane, of the wrist camera nine at the height of the tool centre point and nine below them, which
go with the hand. Both stay where they are in the picture for as long as a camera is not touched.
"""

import numpy as np
import numpy.typing as npt

CAMERAS = ("head", "wrist")
IMAGE_SIZE = (128, 128)  # height, width in pixels
UNSHUFFLE = 4  # pixels along each side of a cell
GRID = IMAGE_SIZE[0] // UNSHUFFLE  # cells along each side of a map

# Maps of key points; each has a heat and two offsets within the cell.
MAPS = ("black", "white", "intersection", "corner_00", "corner_01", "corner_10", "corner_11")
SHARP = 4.0  # factor of their logits, so that they are somewhere from the first step on
LATENT = 32  # maps whose expected places tell where the reference points are


BELOW = 0.10  # m: the wrist camera's lower reference points are this far below the tool


def _lattice(xs: tuple[float, ...], ys: tuple[float, ...], zs: tuple[float, ...]) -> npt.NDArray[np.float64]:
    return np.array([(x, y, z) for z in zs for x in xs for y in ys])


# float64[P, 3] (m): in R for the head camera, from the tool centre point along the axes of R for the wrist's.
REFERENCES: dict[str, npt.NDArray[np.float64]] = {
    "head": _lattice((0.32, 0.48, 0.64), (-0.27, 0.0, 0.27), (0.0,)),
    "wrist": _lattice((-0.02, 0.03, 0.08), (-0.05, 0.0, 0.05), (0.0, -BELOW)),
}

OPEN = 0.024  # m: of each pad from the middle at opening 1


def anchors(camera: str, state: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Points of the robot that a camera sees, float64[8, 3] in R (m): reference points are told from them.

    Of the wrist camera corners of the pads, four on each side; of the head camera the hand and the base.

    Args:
        camera: out of ``CAMERAS``.
        state: proprioception.
    """
    tool, pad = np.asarray(state[:3], dtype=np.float64), OPEN * float(state[3])
    if camera == "wrist":
        across = [(-0.009, 0.0, -0.009), (0.009, 0.0, -0.009), (0.009, 0.0, 0.012), (0.0, 0.0152, 0.0)]
        return np.array([tool + (x, side * (pad + y), z) for side in (1, -1) for x, y, z in across])
    on_hand = [(0.0, 0.0, 0.0), (0.0, 0.0, 0.1), (0.0, 0.1, 0.08), (0.0, -0.1, 0.08)]
    base = [(0.0, 0.0, 0.0), (0.0, 0.0, 0.333), (0.07, 0.09, 0.0), (0.07, -0.09, 0.0)]
    return np.array([*(tool + point for point in np.array(on_hand)), *base])


LINES, PITCH = 5, 0.055  # of the board: lines along each side, and from one to the next (m)


def intersections() -> npt.NDArray[np.float64]:
    """All intersections, float64[25, 2], x_B and y_B (m), row by row; see docs/conventions.md."""
    middle = (LINES - 1) / 2
    return np.array(
        [((c - middle) * PITCH, (middle - r) * PITCH) for r in range(LINES) for c in range(LINES)]
    )


CORNERS = (0, LINES - 1, LINES * (LINES - 1), LINES * LINES - 1)  # of them, in the order of the maps


def scaled(state: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Proprioception float[..., 4] as networks take it: about -1 to 1, float32."""
    middle, size = np.array([0.5, 0.0, 0.12, 0.5]), np.array([0.17, 0.25, 0.13, 0.5])
    near: npt.NDArray[np.float64] = (np.asarray(state, dtype=np.float64) - middle) / size
    return near.astype(np.float32)
