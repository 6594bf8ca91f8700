"""An exported LeRobotDataset, to be looked at."""

import hashlib
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from bomb.demonstrations.settings import action_spec_of
from bomb.disk.files import FileError, read_json
from bomb.exports.actions import converted
from bomb.exports.parquet import arrow
from bomb.inspection.sources import InspectedEpisode, Source, number_of, spread
from core.control.actions import ActionSpec


class LeRobot(Source):
    """LeRobotDataset v2.1 or v3.0 with BOMB's features, one row group or file per episode."""

    def __init__(self, path: Path):
        self.path, info = path, read_json(path / "meta" / "info.json")
        _check_ours(path / "meta" / "info.json", info)
        marker = path / "bomb_export.json"
        self.action_spec = ActionSpec(mode="delta", control_hz=int(info["fps"]))
        unfinished = {}
        if marker.exists():
            stored = read_json(marker)
            about = stored["about"]
            if not stored["complete"]:
                unfinished = {"state": "unfinished export: the same `bomb export` resumes it"}
            self.action_spec = replace(action_spec_of(about["dataset"]), mode=about["settings"]["actions"])
        self._info = info
        self._tasks = _tasks(path)
        self._cameras = [n for n, f in info["features"].items() if n.startswith("observation.images.")]
        self._stored = [n for n in self._cameras if info["features"][n]["dtype"] == "image"]
        self.about = {
            "format": f"LeRobotDataset {info['codebase_version']}",
            "robot": str(info["robot_type"]),
            "features": ", ".join(name for name in info["features"] if "." in name or name == "action"),
            "actions": self.action_spec.mode,
            "control": f"{info['fps']} Hz",
            **unfinished,
        }

    def names(self) -> list[str]:
        return [f"episode {k}" for k in range(self._info["total_episodes"])]

    def load(self, name: str) -> InspectedEpisode:
        table = self._table(number_of(name))
        states = np.array(table["observation.state"].to_pylist(), dtype=np.float32)
        actions = np.array(table["action"].to_pylist(), dtype=np.float32)
        asked = dict.fromkeys(table["task_index"].to_pylist())
        finite = np.isfinite(actions).all() and np.isfinite(states).all()
        motions = converted(actions, states[0, :3], self.action_spec, "delta") if finite else actions
        return InspectedEpisode(
            name=name,
            states=states,
            actions=actions,
            motions=motions,
            instructions=tuple(self._tasks[k] for k in asked),
            goals=None,
            pictures=tuple(
                hashlib.sha256(b"".join(row[name]["bytes"] for name in self._stored)).hexdigest()
                for row in table.select(self._stored).to_pylist()
            )
            if self._stored
            else (),
        )

    def sample(self, name: str, moments: int, size: int) -> list[np.ndarray]:
        if not self._cameras:
            return []
        from PIL import Image

        camera, table = self._cameras[0], self._table(number_of(name))
        rows = sorted(spread(len(table), moments))
        if camera in self._stored:
            files = [table[camera][row].as_py()["bytes"] for row in rows]
            return [np.asarray(Image.open(io.BytesIO(file)).convert("RGB")) for file in files]
        return self._from_video(number_of(name), camera, rows)

    def _table(self, episode: int):
        pa = arrow()
        v3 = self._info["codebase_version"].startswith("v3")
        name = self._info["data_path"].format(
            episode_index=episode,
            episode_chunk=episode // self._info["chunks_size"],
            **(
                {f"{k}_index": self._row(episode)[f"data/{k}_index"] for k in ("chunk", "file")} if v3 else {}
            ),
        )
        try:
            filters = [("episode_index", "=", episode)]
            table = pa.parquet.read_table(self.path / name, filters=filters)
        except (OSError, pa.ArrowException) as error:
            raise FileError(f"{self.path / name} cannot be read: {error}") from error
        if not len(table):
            raise FileError(f"{self.path / name} has no frames of episode {episode}")
        return table

    def _row(self, episode: int) -> dict:
        pa = arrow()
        for file in sorted((self.path / "meta" / "episodes").rglob("*.parquet")):
            try:
                found = pa.parquet.read_table(file, filters=[("episode_index", "=", episode)])
            except (OSError, pa.ArrowException) as error:
                raise FileError(f"{file} cannot be read: {error}") from error
            for row in found.to_pylist():
                return row
        raise FileError(f"{self.path / 'meta' / 'episodes'} has no episode {episode}")

    def _from_video(self, episode: int, camera: str, rows: list[int]) -> list[np.ndarray]:
        import av

        start, row = 0.0, {}
        if self._info["codebase_version"].startswith("v3"):
            stored = self._row(episode)
            row = {f"{k}_index": stored[f"videos/{camera}/{k}_index"] for k in ("chunk", "file")}
            start = stored[f"videos/{camera}/from_timestamp"]
        name = self._info["video_path"].format(
            video_key=camera,
            episode_index=episode,
            episode_chunk=episode // self._info["chunks_size"],
            **row,
        )
        first = round(start * self._info["fps"])
        wanted, found = {first + k for k in rows}, []
        try:
            with av.open(f"file:{self.path / name}") as container:
                for k, frame in enumerate(container.decode(video=0)):
                    if k in wanted:
                        found.append(frame.to_ndarray(format="rgb24"))
                    if k >= max(wanted):
                        break
        except (av.FFmpegError, IndexError) as error:  # IndexError: it has no video stream
            raise FileError(f"{self.path / name} cannot be read: {error}") from error
        return found


def _check_ours(file: Path, info: dict) -> None:
    """Returns if the dataset can be looked at: BOMB's features are there, and lerobot's own entries."""
    for name in ("observation.state", "action"):
        feature = info.get("features", {}).get(name)
        if feature is None:
            raise FileError(f"{file} has no feature {name}")
        if feature.get("shape") != [4]:
            raise FileError(f"{file} has {name} of shape {feature.get('shape')}; those of BOMB have [4]")
    for name in ("codebase_version", "fps", "total_episodes", "robot_type", "data_path", "chunks_size"):
        if name not in info:
            raise FileError(f"{file} lacks {name}: it is damaged, or of another version")


def _tasks(path: Path) -> list[str]:
    lines = path / "meta" / "tasks.jsonl"
    if lines.exists():
        return [json.loads(line)["task"] for line in lines.read_text().splitlines()]
    pa = arrow()
    try:
        rows = pa.parquet.read_table(path / "meta" / "tasks.parquet").to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise FileError(f"{path / 'meta' / 'tasks.parquet'} cannot be read: {error}") from error
    rows.sort(key=lambda row: row["task_index"])
    return [next(value for name, value in row.items() if name != "task_index") for row in rows]
