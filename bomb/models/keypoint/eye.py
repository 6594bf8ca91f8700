"""An eye: from a picture to key points on the table's plane, in metres."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bomb.models.keypoint.format import GRID, IMAGE_SIZE, LATENT, MAPS, REFERENCES, SHARP, UNSHUFFLE, scaled
from bomb.models.keypoint.geometry import plane_of, transformed
from bomb.models.keypoint.layers import (
    convolved,
    doubled,
    linear,
    rectified,
    sigmoid,
    softmax,
    unshuffled,
)

LEAST_HEAT = 0.25  # a peak below this is no point


@dataclass(frozen=True, kw_only=True, eq=False)
class Detections:
    """What one picture shows, on the plane z = 0 of R.

    Attributes:
        points: by map (``MAPS``), float64[P, 2], x and y in R (m), the hottest first.
        heats: by map, float64[P], 0 to 1.
        plane: float64[3, 3], homography from pixels to x and y of R (m).
    """

    points: dict[str, npt.NDArray[np.float64]]
    heats: dict[str, npt.NDArray[np.float64]]
    plane: npt.NDArray[np.float64]


class Eye:
    """One camera's network, with weights of ``bomb.training.keypoint.network.EyeNetwork.tensors``.

    Args:
        tensors: by name.
        camera: out of ``bomb.models.keypoint.format.CAMERAS``.
    """

    def __init__(self, tensors: Mapping[str, np.ndarray], camera: str):
        self._w, self._camera = {name: np.asarray(v, dtype=np.float32) for name, v in tensors.items()}, camera
        along = np.linspace(-1.0, 1.0, GRID, dtype=np.float32)
        self._along = along
        self._place = np.stack(
            [np.broadcast_to(along, (GRID, GRID)), np.broadcast_to(along[:, None], (GRID, GRID))]
        )

    def maps(
        self, picture: npt.NDArray[np.uint8], state: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Logits float32[maps, GRID, GRID], offsets float32[2 maps, GRID, GRID], places float32[P, 2]."""
        x = np.concatenate([unshuffled(normalised(picture), UNSHUFFLE), self._place])
        x = self._conv("stem", x)
        fine = x + self._conv("fine", x)
        x = self._conv("down1", fine, 2)
        x = x + self._conv("middle1", x)
        middle = x + self._conv("middle2", x)
        x = self._conv("down2", middle, 2)
        wide = x + self._conv("wide", x)
        x = middle + doubled(self._conv("up1", wide))
        x = x + self._conv("merge1", x)
        x = fine + doubled(self._conv("up2", x))
        x = x + self._conv("merge2", x)
        maps = convolved(x, self._w["maps.weight"], self._w["maps.bias"])
        count = len(MAPS)
        shares = softmax(SHARP * maps[3 * count :].reshape(LATENT, -1)).reshape(LATENT, GRID, GRID)
        u, v = shares.sum(1) @ self._along, shares.sum(2) @ self._along
        told = np.concatenate([u, v, scaled(state), self._conv("laid", wide).reshape(-1)])
        hidden = rectified(linear(told, self._w["hidden.weight"], self._w["hidden.bias"]))
        places = linear(hidden, self._w["places.weight"], self._w["places.bias"])
        return maps[:count], maps[count : 3 * count], places.reshape(-1, 2)

    def _conv(self, name: str, x: npt.NDArray[np.float32], stride: int = 1) -> npt.NDArray[np.float32]:
        return rectified(convolved(x, self._w[f"{name}.weight"], self._w[f"{name}.bias"], stride))


def normalised(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """float32[3, H, W] of uint8[H, W, 3]: each channel with mean 0 and deviation 1."""
    x = picture.transpose(2, 0, 1).astype(np.float32) / np.float32(255)
    mean, deviation = x.mean((1, 2), keepdims=True), x.std((1, 2), keepdims=True)
    made: npt.NDArray[np.float32] = (x - mean) / (deviation + np.float32(0.02))
    return made


def decoded(
    heat: npt.NDArray[np.float32],
    offsets: npt.NDArray[np.float32],
    places: npt.NDArray[np.floating],
    camera: str,
    state: npt.NDArray[np.float64],
) -> Detections:
    """Points in metres, of what the network says.

    Args:
        heat, offsets, places: as ``Eye.maps`` returns them.
        camera: out of ``bomb.models.keypoint.format.CAMERAS``.
        state: proprioception.
    """
    half = IMAGE_SIZE[1] / 2
    pixels = (np.asarray(places, dtype=np.float64) + 1.0) * half - 0.5
    tool = state[:3] if camera == "wrist" else np.zeros(3)
    plane = plane_of(pixels, REFERENCES[camera], -float(tool[2]))
    plane = np.array([[1, 0, tool[0]], [0, 1, tool[1]], [0, 0, 1]]) @ plane
    points, heats = {}, {}
    for kind, name in enumerate(MAPS):
        cells, shares = peaks(
            sigmoid(heat[kind].astype(np.float64)), offsets[kind], offsets[len(MAPS) + kind]
        )
        points[name] = transformed(plane, (cells + 0.5) * UNSHUFFLE - 0.5)
        heats[name] = shares
    return Detections(points=points, heats=heats, plane=plane)


def peaks(
    heat: npt.NDArray[np.float64], du: npt.NDArray[np.float32], dv: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Where a map is hottest: cells float64[P, 2] (u, v), heats float64[P], the hottest first.

    A peak is a cell that none of its eight neighbours exceeds. Its place is the mean of what it and its
    neighbours say, weighted by their heat.
    """
    size = len(heat)
    padded = np.pad(heat, 1)
    around = np.stack(
        [padded[v : v + size, u : u + size] for v in range(3) for u in range(3) if (v, u) != (1, 1)]
    )
    rows, columns = np.nonzero((heat >= around.max(0)) & (heat > LEAST_HEAT))
    order = np.argsort(-heat[rows, columns], kind="stable")
    rows, columns = rows[order], columns[order]
    cells = np.empty((len(rows), 2))
    for k, (row, column) in enumerate(zip(rows, columns, strict=True)):
        near = np.s_[max(0, row - 1) : min(size, row + 2), max(0, column - 1) : min(size, column + 2)]
        v, u = np.mgrid[near]
        weight = heat[near] / heat[near].sum()
        cells[k] = (weight * (u + du[near])).sum(), (weight * (v + dv[near])).sum()
    return cells, heat[rows, columns]
