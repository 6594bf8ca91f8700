"""LeRobotDataset v2.1: one file per episode. What openpi's pinned reader takes.

::

    meta/info.json, meta/tasks.jsonl, meta/episodes.jsonl, meta/episodes_stats.jsonl
    data/chunk-000/episode_000000.parquet
    videos/chunk-000/observation.images.head/episode_000000.mp4
"""

import json
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

from bomb.disk.files import write_bytes, write_json
from bomb.exports.lerobot import FILES_PER_CHUNK, LeRobotWriter, summed
from bomb.exports.parquet import TableFile, schema
from bomb.exports.pictures import Encoding
from bomb.exports.plan import ExportPlan
from bomb.exports.statistics import PictureHistogram, plain
from bomb.exports.writer import Drawn, ShardReport

# Later readers' statistics have quantiles, too; this version knows these.
_STATISTICS = ("min", "max", "mean", "std", "count")


class LeRobotV21Writer(LeRobotWriter):
    """A shard is the files of several episodes."""

    words: ClassVar[str] = "LeRobotDataset v2.1, for openpi: Parquet, and pictures or videos"
    pictures: ClassVar[tuple[str, ...]] = ("png", "video")

    def write_shard(self, folder: Path, episodes: Iterable[Drawn]) -> ShardReport:
        histograms: dict[str, PictureHistogram] = {}
        lines = []
        wanted = schema(self.features())
        for plan, frames in episodes:
            name, chunk = f"episode_{plan.index:06d}", f"chunk-{plan.index // FILES_PER_CHUNK:03d}"
            with ExitStack() as stack:
                videos = self.video_files(stack, folder, f"videos/{chunk}/{{key}}/{name}.mp4")
                table = stack.enter_context(TableFile(folder / f"data/{chunk}/{name}.parquet", wanted))
                encoding = stack.enter_context(Encoding())
                pictures, statistics = self.write_episode(plan, frames, table, videos, encoding)
            summed(histograms, pictures)
            kept = {
                feature: {name: value for name, value in plain(values).items() if name in _STATISTICS}
                for feature, values in statistics.items()
            }
            lines.append({"episode_index": plan.index, "stats": kept})
        return ShardReport(episodes=len(lines), histograms=histograms, lines=lines)

    def write_meta(
        self,
        root: Path,
        plan: ExportPlan,
        shards: list[range],
        pictures: dict[str, PictureHistogram],
        lines: list[dict[str, Any]],
    ) -> None:
        episodes = shards[-1].stop if shards else 0
        done = plan.episodes[:episodes]
        meta = root / "meta"
        _write_lines(meta / "episodes_stats.jsonl", lines)
        _write_lines(
            meta / "tasks.jsonl",
            [{"task_index": k, "task": task} for k, task in enumerate(plan.tasks_of(episodes))],
        )
        _write_lines(
            meta / "episodes.jsonl",
            [
                {
                    "episode_index": episode.index,
                    "tasks": list(dict.fromkeys(episode.texts)),
                    "length": episode.length,
                }
                for episode in done
            ],
        )
        video = self.settings.pictures == "video"
        write_json(
            meta / "info.json",
            {
                "codebase_version": "v2.1",
                **self.info(plan, episodes),
                "total_videos": episodes * len(self.settings.cameras) if video else 0,
                "total_chunks": -(-episodes // FILES_PER_CHUNK),
                "chunks_size": FILES_PER_CHUNK,
                "data_path": "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
                "video_path": "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4"
                if video
                else None,
            },
        )


def _write_lines(path: Path, lines: Iterable[dict[str, Any]]) -> None:
    write_bytes(path, "".join(json.dumps(line, allow_nan=False) + "\n" for line in lines).encode())
