"""What both versions of the LeRobotDataset format have in common.

Written from the readers' source, lerobot 0.3.2 (v2.1) and 0.4.4 (v3.0), whose own readers read the result in
``tests/interop``. lerobot itself is no dependency: it pins torch.
"""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from bomb.demonstrations.demonstration import Demonstration
from bomb.exports.columns import features as column_features
from bomb.exports.frames import ExportFrame
from bomb.exports.parquet import TableFile, arrow
from bomb.exports.pictures import ENCODERS, Encoding, encode_png
from bomb.exports.plan import EpisodePlan, ExportPlan, Rows
from bomb.exports.statistics import PictureHistogram, number_statistics, sampled
from bomb.exports.video import VideoFile, video_info
from bomb.exports.writer import Writer

ROBOT = "panda"
STATE, ACTION, IMAGES = "observation.state", "action", "observation.images"
FILES_PER_CHUNK = 1000
# So that later readers keep colour's normalisation from depth, and can turn its unit into metres.
DEPTH_INFO = {"is_depth_map": True, "depth_unit": "mm"}
# lerobot's, of every dataset.
INDICES = ("timestamp", "frame_index", "episode_index", "index", "task_index")


class LeRobotWriter(Writer):
    """Features, frames and statistics; the versions differ in where they lie."""

    pictures: ClassVar[tuple[str, ...]] = ("video", "png")

    @classmethod
    def check(cls) -> None:
        arrow()

    @staticmethod
    def vectors(demonstration: Demonstration, actions: Rows) -> tuple[Rows, Rows]:
        return demonstration.observations[:-1], actions

    def data_files(self, root: Path) -> Iterable[Path]:
        folders = (root / "data", root / "videos", root / "meta" / "episodes")
        return [file for folder in folders for file in folder.rglob("*") if file.is_file()]

    def features(self) -> dict[str, dict[str, Any]]:
        """As ``info.json`` has them."""
        settings, (height, width) = self.settings, self.settings.image_size
        video = settings.pictures == "video"
        picture: dict[str, Any] = {
            "dtype": "video" if video else "image",
            "shape": [height, width, 3],
            "names": ["height", "width", "channels"],
        }
        if video:
            picture["info"] = video_info(fps=self.fps, image_size=settings.image_size, codec=settings.codec)
        parts = ["x", "y", "z", "gripper"]
        made: dict[str, dict[str, Any]] = {
            STATE: {"dtype": "float32", "shape": [4], "names": parts},
            ACTION: {"dtype": "float32", "shape": [4], "names": parts},
            **{f"{IMAGES}.{camera}": dict(picture) for camera in settings.cameras},
        }
        for name, feature in column_features(settings.columns, settings.cameras, settings.image_size).items():
            dtype = "image" if feature.dtype == "depth" else feature.dtype
            shape = list(feature.shape) or [1]
            made[name] = {"dtype": dtype, "shape": shape, "names": feature.names}
            if feature.dtype == "depth":
                made[name]["info"] = dict(DEPTH_INFO)
        for name in INDICES:
            dtype = "float32" if name == "timestamp" else "int64"
            made[name] = {"dtype": dtype, "shape": [1], "names": None}
        return made

    def statistics(
        self, plan: ExportPlan, episodes: int, pictures: Mapping[str, PictureHistogram]
    ) -> dict[str, Any]:
        """Of the first so many episodes together: exact, quantiles too. ``pictures``: by feature."""
        done = plan.episodes[:episodes]
        columns = [{STATE: e.states, ACTION: e.actions, **self.indices(e)} for e in done]
        made: dict[str, dict[str, npt.NDArray[Any]]] = {
            name: number_statistics(np.concatenate([column[name] for column in columns]))
            for name in (STATE, ACTION, *INDICES)
        }
        return made | {name: histogram.statistics() for name, histogram in pictures.items()}

    def info(self, plan: ExportPlan, episodes: int) -> dict[str, Any]:
        """What ``info.json`` says of the first so many episodes, in both versions."""
        return {
            "robot_type": ROBOT,
            "total_episodes": episodes,
            "total_frames": plan.frames(episodes),
            "total_tasks": len(plan.tasks_of(episodes)),
            "fps": self.fps,
            "splits": {"train": f"0:{episodes}"},
            "features": self.features(),
        }

    def indices(self, plan: EpisodePlan) -> dict[str, npt.NDArray[Any]]:
        """The columns that place every frame of an episode in the dataset."""
        frames = np.arange(plan.length)
        return {
            "timestamp": (frames / self.fps).astype(np.float32),
            "frame_index": frames,
            "episode_index": np.full(plan.length, plan.index),
            "index": plan.first + frames,
            "task_index": plan.tasks,
        }

    def write_episode(
        self,
        plan: EpisodePlan,
        frames: Iterable[ExportFrame],
        table: TableFile,
        videos: Mapping[str, VideoFile],
        encoding: Encoding,
    ) -> tuple[dict[str, PictureHistogram], dict[str, dict[str, npt.NDArray[Any]]]]:
        """Writes the frames of one episode.

        Returns:
            The histograms of its pictures, depth included, and the episode's statistics; both by feature.
        """
        columns: dict[str, list[Any]] = {}
        histograms: dict[str, PictureHistogram] = {}
        counted = sampled(plan.length)
        for k, frame in enumerate(frames):
            for camera, picture in frame.images.items():
                if k in counted:
                    histograms.setdefault(f"{IMAGES}.{camera}", PictureHistogram()).add(picture)
                if videos:
                    videos[camera].add(picture)
                else:
                    encoded = encoding.begin(ENCODERS[self.settings.pictures], picture)
                    columns.setdefault(f"{IMAGES}.{camera}", []).append(encoded)
            for name, value in frame.columns.items():
                if isinstance(value, np.ndarray) and value.ndim == 3:
                    # Trainers look up the statistics of everything that is a picture.
                    if k in counted:
                        histograms.setdefault(name, PictureHistogram.of_depth()).add(value)
                    value = encoding.begin(encode_png, value)
                columns.setdefault(name, []).append(value)
        numbers = {STATE: plan.states, ACTION: plan.actions, **self.indices(plan)}
        made: dict[str, Any] = dict(numbers)
        for name, values in columns.items():
            if isinstance(values[0], np.ndarray):
                made[name] = np.stack(values)
            elif isinstance(values[0], str):
                made[name] = values
            else:
                made[name] = [future.result() for future in values]
        table.add(made)
        statistics = {name: number_statistics(numbers[name]) for name in (STATE, ACTION, *INDICES)}
        statistics |= {name: histogram.statistics() for name, histogram in histograms.items()}
        return histograms, statistics

    def readme(self) -> list[str]:
        return [
            "Read with lerobot: `LeRobotDataset(NAME, root=FOLDER)`, where NAME is any. Features whose name "
            "begins with `annotation` are for auxiliary objectives; they must not be inputs of a policy."
        ]

    def video_files(self, stack: ExitStack, folder: Path, name: str) -> dict[str, VideoFile]:
        """Opens a video per camera, if there are videos; they end with ``stack``.

        Args:
            stack: closes them.
            folder: below which they lie.
            name: of a file; ``{key}`` in it is the camera's feature.
        """
        settings = self.settings
        if settings.pictures != "video":
            return {}
        return {
            camera: stack.enter_context(
                VideoFile(
                    folder / name.format(key=f"{IMAGES}.{camera}"),
                    fps=self.fps,
                    image_size=settings.image_size,
                    codec=settings.codec,
                )
            )
            for camera in settings.cameras
        }


def summed(
    total: dict[str, PictureHistogram], more: Mapping[str, PictureHistogram]
) -> dict[str, PictureHistogram]:
    """Adds the histograms of ``more`` to those of ``total``, which is returned."""
    for name, histogram in more.items():
        total.setdefault(name, PictureHistogram()).merge(histogram)
    return total
