"""How far an eye is off, in millimetres on the table, by how the pictures were drawn."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from bomb.models.keypoint.eye import Detections, decoded
from bomb.models.keypoint.format import CAMERAS, MAPS, scaled
from bomb.training.keypoint.labels import WIDTH, Points, to_pixels
from bomb.training.keypoint.network import EyeNetwork, normalised
from bomb.training.keypoint.samples import CameraSamples

FOUND = 0.025  # m: a point that is seen within this of where it is
NEAR_TOOL = 0.06  # m: what the wrist camera is for


def measured(
    network: EyeNetwork, samples: CameraSamples, chosen: Sequence[int], camera: int, batch: int = 32
) -> dict[str, Any]:
    """Errors of the points in view, by group and map: median and 90th percentile (mm), share found.

    Points of the wrist camera count within 60 mm of the tool, seen from above.
    """
    network.eval()
    errors: dict[str, dict[str, list[float]]] = {}
    with torch.inference_mode():
        for first in range(0, len(chosen), batch):
            part = list(chosen[first : first + batch])
            pictures = np.stack([samples.pictures[k] for k in part]).transpose(0, 3, 1, 2)
            states = scaled(np.array([samples.states[k] for k in part]))
            answers = network(
                normalised(torch.from_numpy(pictures.astype(np.float32) / 255)), torch.from_numpy(states)
            )
            heats, offsets, places = (answer.numpy() for answer in answers[:3])
            for k, heat, offset, place in zip(part, heats, offsets, places, strict=True):
                state = samples.states[k].astype(np.float64)
                seen = decoded(heat, offset, place, CAMERAS[camera], state)
                group = errors.setdefault(samples.groups[k], {})
                _add(group, seen, samples.points[k], state if CAMERAS[camera] == "wrist" else None)
    network.train()
    return {
        name: {kind: _summary(values) for kind, values in group.items()} for name, group in errors.items()
    }


def _add(group: dict[str, list[float]], seen: Detections, points: Points, state: np.ndarray | None) -> None:
    pixels, front = to_pixels(points.plane, points.points)
    inside = front & (np.abs(pixels + 0.5 - WIDTH / 2) <= WIDTH / 2).all(1)
    if state is not None:
        inside &= np.linalg.norm(points.points - state[:2], axis=1) < NEAR_TOOL
    for point, kind in zip(points.points[inside], points.kinds[inside], strict=True):
        there = seen.points[MAPS[kind]]
        name = MAPS[kind].partition("_")[0]
        name = "stone" if name in ("black", "white") else name
        away = np.linalg.norm(there - point, axis=1).min() if len(there) else np.inf
        group.setdefault(name, []).append(1000 * float(away))


def _summary(values: list[float]) -> dict[str, Any]:
    array = np.array(values)
    found = array[array < 1000 * FOUND]
    return {
        "median_mm": round(float(np.median(found)), 2) if len(found) else None,
        "p90_mm": round(float(np.percentile(found, 90)), 2) if len(found) else None,
        "found": round(len(found) / len(array), 4),
        "n": len(array),
    }
