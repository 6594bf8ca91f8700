"""The pictures: the same state drawn by both renderers, from every camera, with the settings policies get.

States are those of expert episodes at reset, grasp, carry, release and end, moved from one simulator into
the other. A number of an episode is the mean over its frames; intervals are over episodes, because the frames
of one are alike. Inside masks, the worst of stones, board and robot counts.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bomb.parity.play import environment
from bomb.parity.scorer import MOMENTS, moments
from bomb.parity.study import Study, StudyPlan
from bomb.parity.table import Bound, Row, not_measured
from bomb.statistics import Estimate, mean
from bomb.statistics.formats import significant
from core.backend import CameraImage
from core.world.scene import SegmentationId
from core.world.stage import CAMERAS
from core.world.state import SceneState

FEWEST = 30  # pixels that a thing must have in both pictures to be compared
MODALITIES = ("rgb", "depth", "segmentation")
REGIONS = ("stones", "board", "robot")

Mask = npt.NDArray[np.bool_]

BOUNDS: dict[str, Bound] = {
    "board_iou": Bound(value=0.99, at_least=True),
    "stone_iou": Bound(value=0.95, at_least=True),
    "centroid_px": Bound(value=0.2, at_least=False),
    "depth_mm": Bound(value=1.0, at_least=False),
    "colour_mad": Bound(value=5.0, at_least=False),
    "ssim": Bound(value=0.95, at_least=True),
    "colour_mad_masks": Bound(value=2.0, at_least=False),
    "ssim_masks": Bound(value=0.985, at_least=True),
}
# Under a perturbation things may overlap less and colours differ more: lights and textures are turned far;
# places may not.
PERTURBED: dict[str, Bound] = BOUNDS | {
    "board_iou": Bound(value=0.98, at_least=True),
    "stone_iou": Bound(value=0.90, at_least=True),
    "colour_mad": Bound(value=10.0, at_least=False),
    "ssim": Bound(value=0.90, at_least=True),
    "colour_mad_masks": Bound(value=20.0, at_least=False),
    "ssim_masks": Bound(value=0.80, at_least=True),
}
UNITS = {"centroid_px": "px", "depth_mm": "mm", "colour_mad": "/255", "colour_mad_masks": "/255"}


@dataclass(frozen=True, kw_only=True)
class PairFindings:
    """What was found in one pair of pictures; things that are not in view are left out.

    Attributes:
        name: moment and camera.
        numbers: row (and region, after a slash) to value.
    """

    name: str
    numbers: dict[str, float]


class PictureStudy(Study[list[PairFindings]]):
    """Geometry and colour of pictures."""

    name = "pictures"
    keys = tuple(BOUNDS)

    def jobs(self, plan: StudyPlan) -> list[int]:
        return [plan.seed + k for k in range(plan.share(20, least=4))]

    def run(self, plan: StudyPlan, seed: int) -> list[PairFindings]:
        cameras = tuple(CAMERAS)
        first, second = (
            environment(name, plan.split, cameras=cameras, perturbations=plan.perturbations)
            for name in plan.backends
        )
        played = environment(plan.backends[seed % 2], plan.split, perturbations=plan.perturbations)
        saved, found = moments(played, seed), []
        for moment in MOMENTS:
            if moment not in saved:
                continue
            for env in (first, second):
                env.load_state(saved[moment])
            for camera in cameras:
                a, b = (env.render_camera(camera, MODALITIES) for env in (first, second))
                found.append(
                    PairFindings(name=f"{moment}, {camera}", numbers=compare(a, b, first.scene_state))
                )
                if plan.out is not None and seed == plan.seed:
                    _write(plan.out / f"{moment}_{camera}.png", plan.backends, a, b)
        return found

    def rows(self, plan: StudyPlan, results: list[list[PairFindings]]) -> list[Row]:
        rows = []
        for key, bound in (BOUNDS if plan.perturbations is None else PERTURBED).items():
            unit = UNITS.get(key, "")
            parts = [f"{key}/{region}" for region in REGIONS] if key.endswith("_masks") else [key]
            estimates = {part: _over_episodes(_episode_means(results, part)) for part in parts}
            known = {part: e.value for part, e in estimates.items() if e.value is not None}
            if not known:
                rows.append(not_measured(key, bound, "no frames", unit))
                continue
            worst = (min if bound.at_least else max)(known, key=known.__getitem__)
            single = _worst_frame(results, worst, bound)
            notes = [f"worst single frame {significant(single.numbers[worst])} ({single.name})"]
            if len(parts) > 1:
                notes.append(", ".join(f"{part.split('/')[1]} {significant(known[part])}" for part in known))
            rows.append(Row(key=key, estimate=estimates[worst], bound=bound, unit=unit, notes=tuple(notes)))
        return rows


def compare(a: CameraImage, b: CameraImage, state: SceneState) -> dict[str, float]:
    """Every number of one pair of pictures of the same state; see ``BOUNDS`` for their names."""
    from skimage.metrics import structural_similarity

    numbers: dict[str, float] = {}
    ids_a, ids_b = a.ids, b.ids
    board = [ids == SegmentationId.BOARD for ids in (ids_a, ids_b)]
    stones = [ids >= SegmentationId.STONE for ids in (ids_a, ids_b)]
    robot = [np.isin(ids, (SegmentationId.ROBOT, SegmentationId.GRIPPER)) for ids in (ids_a, ids_b)]
    equal = ids_a == ids_b
    if _enough(*board):
        numbers["board_iou"] = float((board[0] & board[1]).sum() / (board[0] | board[1]).sum())
    if _enough(*stones):
        same = stones[0] & equal
        numbers["stone_iou"] = float(same.sum() / (stones[0] | stones[1]).sum())
    things = [SegmentationId.BOARD, *(SegmentationId.STONE + k for k in state.stone_ids.tolist())]
    shifts = [shift for thing in things if (shift := _shift(ids_a == thing, ids_b == thing)) is not None]
    if shifts:
        numbers["centroid_px"] = max(shifts)
    numbers["depth_mm"] = float(np.quantile(abs(a.distances - b.distances)[equal], 0.99) * 1e3)
    difference = abs(a.colors.astype(np.int16) - b.colors)
    score, similarity = structural_similarity(a.colors, b.colors, channel_axis=2, data_range=255, full=True)
    numbers["colour_mad"], numbers["ssim"] = float(difference.mean()), float(score)
    for region, masks in zip(REGIONS, (stones, board, robot), strict=True):
        if _enough(*masks):
            mask = masks[0] | masks[1]
            numbers[f"colour_mad_masks/{region}"] = float(difference[mask].mean())
            numbers[f"ssim_masks/{region}"] = float(similarity[mask].mean())
    return numbers


def _enough(*masks: Mask) -> bool:
    return all(mask.sum() >= FEWEST for mask in masks)


def _shift(a: Mask, b: Mask) -> float | None:
    """Distance in pixels of the middles of two masks; None if either is too small to have one."""
    if not _enough(a, b):
        return None
    return float(np.linalg.norm(np.argwhere(a).mean(axis=0) - np.argwhere(b).mean(axis=0)))


def _episode_means(results: list[list[PairFindings]], part: str) -> list[float]:
    values = [[frame.numbers[part] for frame in frames if part in frame.numbers] for frames in results]
    return [float(np.mean(episode)) for episode in values if episode]


def _over_episodes(values: list[float]) -> Estimate:
    """The mean over episodes.

    Of episodes that all agree alike, to the last pixel, the interval has no width: both renderers are
    deterministic, and a bootstrap has nothing to vary.
    """
    if len(values) > 1 and len(set(values)) == 1:
        return Estimate(value=values[0], low=values[0], high=values[0], n=len(values))
    return mean(values)


def _worst_frame(results: list[list[PairFindings]], part: str, bound: Bound) -> PairFindings:
    frames = [frame for episode in results for frame in episode if part in frame.numbers]
    return (min if bound.at_least else max)(frames, key=lambda frame: frame.numbers[part])


def _write(file: Path, backends: tuple[str, str], a: CameraImage, b: CameraImage) -> None:
    """Both pictures and four times their difference, side by side."""
    from bomb.pictures.images import captioned, grid, write_png

    difference = (abs(a.colors.astype(np.int16) - b.colors) * 4).clip(0, 255).astype(np.uint8)
    words = (*backends, "4 x difference")
    pictures = zip((a.colors, b.colors, difference), words, strict=True)
    write_png(file, grid([[captioned(frame, word) for frame, word in pictures]]))
