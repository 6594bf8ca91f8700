"""The simulator's depth and its cameras: what a model with true depth is given."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from bomb.models.requests import Request
from core.errors import ConventionError, check_choice
from core.world.stage import CAMERAS


def camera_matrix(
    camera: str, image_size: tuple[int, int], given: Mapping[str, npt.ArrayLike], side: int | None
) -> npt.NDArray[np.float32]:
    """K, float32[3, 3], of pixels that count from 0 at the picture's edge.

    Args:
        camera: name.
        image_size: (height, width) of the pictures that the model is given.
        given: matrices by camera, for such pictures; a camera left out is that of BOMB's stage.
        side: of the square that pictures are resized to; None: K of the pictures as they are given.

    Raises:
        UnknownNameError: for a camera that is neither given nor on the stage.
    """
    height, width = image_size
    if camera in given:
        matrix = np.asarray(given[camera], dtype=np.float64)
    else:
        spec = CAMERAS[check_choice("camera without intrinsics", camera, CAMERAS)]
        focal = height / 2 / np.tan(spec.fovy / 2)
        matrix = np.array([[focal, 0.0, width / 2], [0.0, focal, height / 2], [0.0, 0.0, 1.0]])
    if side is not None:
        matrix = np.diag([side / width, side / height, 1.0]) @ matrix
    return matrix.astype(np.float32)


def true_depth(
    request: Request, cameras: Sequence[str], image_size: tuple[int, int]
) -> npt.NDArray[np.float32]:
    """The depth of each camera in metres, float32[cameras, H, W].

    Raises:
        ConventionError: if there is none, or it has another size.
    """
    if missing := [camera for camera in cameras if camera not in request.depth]:
        raise ConventionError(
            f"the model takes the simulator's depth; the observation has none of {', '.join(missing)}: "
            "ask for the modality 'depth'"
        )
    found = [np.asarray(request.depth[camera], dtype=np.float32) for camera in cameras]
    for camera, depth in zip(cameras, found, strict=True):
        if depth.shape != tuple(image_size):
            raise ConventionError(f"depth of {camera} must have shape {tuple(image_size)}, got {depth.shape}")
        if bad := int((~np.isfinite(depth)).sum()):
            raise ConventionError(f"depth of {camera} has {bad} numbers that are not finite")
    return np.stack(found)
