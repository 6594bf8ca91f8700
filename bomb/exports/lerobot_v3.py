"""LeRobotDataset v3.0: many episodes per file.

::

    meta/info.json, meta/stats.json, meta/tasks.parquet
    meta/episodes/chunk-000/file-000.parquet
    data/chunk-000/file-000.parquet
    videos/observation.images.head/chunk-000/file-000.mp4
"""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from bomb.disk.files import write_bytes, write_json
from bomb.exports.lerobot import FILES_PER_CHUNK, IMAGES, LeRobotWriter, summed
from bomb.exports.parquet import TableFile, arrow, in_bytes, indexed_table, schema
from bomb.exports.pictures import Encoding
from bomb.exports.plan import EpisodePlan, ExportPlan
from bomb.exports.statistics import PictureHistogram, plain
from bomb.exports.writer import Drawn, ShardReport

_FILE = "chunk-{chunk:03d}/file-{file:03d}"
_DRAFT = "draft"  # the name of a file until its number is known


class LeRobotV3Writer(LeRobotWriter):
    """A shard is one file of each kind."""

    words: ClassVar[str] = "LeRobotDataset v3.0: Parquet, and videos or pictures"

    def write_shard(self, folder: Path, episodes: Iterable[Drawn]) -> ShardReport:
        histograms: dict[str, PictureHistogram] = {}
        rows, shown = [], 0
        with ExitStack() as stack:
            videos = self.video_files(stack, folder, f"videos/{{key}}/{_DRAFT}.mp4")
            table = stack.enter_context(TableFile(folder / f"data/{_DRAFT}.parquet", schema(self.features())))
            encoding = stack.enter_context(Encoding())
            for plan, frames in episodes:
                pictures, statistics = self.write_episode(plan, frames, table, videos, encoding)
                summed(histograms, pictures)
                rows.append(self._row(plan, shown, statistics))
                shown += plan.length
        pa = arrow()
        target = folder / f"meta/episodes/{_DRAFT}.parquet"
        target.parent.mkdir(parents=True)
        target.write_bytes(in_bytes(pa.Table.from_pylist(rows)))
        return ShardReport(episodes=len(rows), histograms=histograms)

    def finish(self, folder: Path, shard: int) -> None:
        pa = arrow()
        chunk, file = divmod(shard, FILES_PER_CHUNK)
        described = folder / f"meta/episodes/{_DRAFT}.parquet"
        table = pa.parquet.read_table(described)
        for k, name in enumerate(table.column_names):
            for ending, number in (("/chunk_index", chunk), ("/file_index", file)):
                if name.endswith(ending):
                    table = table.set_column(k, name, pa.array([number] * len(table), pa.int64()))
        described.write_bytes(in_bytes(table))
        for draft in list(folder.rglob(f"{_DRAFT}.*")):
            target = draft.parent / (_FILE.format(chunk=chunk, file=file) + draft.suffix)
            target.parent.mkdir()
            draft.rename(target)

    def _row(self, plan: EpisodePlan, shown: int, statistics: dict[str, Any]) -> dict[str, Any]:
        """What ``meta/episodes`` has of one episode, but for the numbers of its files, which are 0 here.

        ``shown``: frames before it in its videos.
        """
        chunk = file = 0
        row = {
            "episode_index": plan.index,
            "tasks": list(dict.fromkeys(plan.texts)),
            "length": plan.length,
            "data/chunk_index": chunk,
            "data/file_index": file,
            "dataset_from_index": plan.first,
            "dataset_to_index": plan.first + plan.length,
            "meta/episodes/chunk_index": chunk,
            "meta/episodes/file_index": file,
            "bomb/seed": plan.seed,
            "bomb/visual_draw": plan.visual_draw,
        }
        if self.settings.pictures == "video":
            for camera in self.settings.cameras:
                key = f"videos/{IMAGES}.{camera}"
                row |= {
                    f"{key}/chunk_index": chunk,
                    f"{key}/file_index": file,
                    f"{key}/from_timestamp": shown / self.fps,
                    f"{key}/to_timestamp": (shown + plan.length) / self.fps,
                }
        for feature, values in statistics.items():
            row |= {f"stats/{feature}/{name}": value for name, value in plain(values).items()}
        return row

    def write_meta(
        self,
        root: Path,
        plan: ExportPlan,
        shards: list[range],
        pictures: dict[str, PictureHistogram],
        lines: list[dict[str, Any]],
    ) -> None:
        episodes = shards[-1].stop if shards else 0
        tasks = plan.tasks_of(episodes)
        table = indexed_table(tasks, {"task_index": np.arange(len(tasks))})
        write_bytes(root / "meta" / "tasks.parquet", table)
        statistics = self.statistics(plan, episodes, pictures)
        write_json(root / "meta" / "stats.json", {name: plain(values) for name, values in statistics.items()})
        # Last: readers ask it how many episodes there are.
        write_json(
            root / "meta" / "info.json",
            {
                "codebase_version": "v3.0",
                **self.info(plan, episodes),
                "chunks_size": FILES_PER_CHUNK,
                "data_files_size_in_mb": 100,
                "video_files_size_in_mb": 200,
                "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
                "video_path": "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
                if self.settings.pictures == "video"
                else None,
            },
        )
