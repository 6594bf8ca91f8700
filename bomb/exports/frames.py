"""The frames of an episode as a writer gets them, drawn one at a time."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from bomb.demonstrations.demonstration import Demonstration
from bomb.demonstrations.pictures import Renderer
from bomb.exports.columns import Columns, needed_modalities
from bomb.exports.plan import EpisodePlan
from bomb.exports.settings import ExportSettings


class ExportFrame(NamedTuple):
    """One frame.

    Attributes:
        images: uint8[H, W, 3] by camera.
        columns: the optional columns, see ``bomb.exports.columns``.
    """

    images: dict[str, npt.NDArray[np.uint8]]
    columns: dict[str, object]


def make_renderer(dataset_settings: dict[str, Any], settings: ExportSettings) -> Renderer:
    """What draws the frames of an export; see ``Renderer`` for what it raises."""
    return Renderer(
        dataset_settings,
        backend=settings.backend,
        cameras=settings.cameras,
        image_size=settings.image_size,
        modalities=("rgb", *needed_modalities(settings.columns)),
        perturbations=settings.perturbations or None,
        supersample=settings.supersample,
    )


def drawn_frames(
    renderer: Renderer, demonstration: Demonstration, plan: EpisodePlan, settings: ExportSettings
) -> Iterator[ExportFrame]:
    """The frames of one episode, ``plan.length`` of them."""
    columns = None
    seen_at = renderer.moments(demonstration, plan.rows, visual_draw=plan.visual_draw)
    for t, seen in zip(plan.rows.tolist(), seen_at, strict=True):
        if columns is None:
            columns = Columns(
                settings.columns,
                settings.cameras,
                settings.image_size,
                demonstration,
                plan.instructions,
                seen["env"],
            )
        yield ExportFrame(images=seen["images"], columns=columns.row(t, seen))
