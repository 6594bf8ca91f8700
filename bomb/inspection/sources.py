"""Episodes of a dataset, whatever it is kept in: demonstrations, or an exported LeRobotDataset."""

import hashlib
import io
import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bomb.demonstrations.dataset import SETTINGS_FILE, Dataset
from bomb.exports.actions import converted
from bomb.exports.parquet import arrow
from bomb.files import FileError, read_json
from core.actions import ActionSpec
from core.boards import Cell


@dataclass(frozen=True, kw_only=True, eq=False)
class InspectedEpisode:
    """One episode as it is looked at.

    Attributes:
        name: says which, for people.
        states: float32[N, 4], tool centre point (m, in R) and opening, before each action.
        actions: float32[N, 4], in the convention of the dataset.
        motions: float32[N, 4], the actions in the delta convention.
        instructions: in the order in which they were given.
        goals: intersections that were asked for; None where the dataset does not say.
        pictures: hash of each frame's pictures, where they are stored one by one; else empty.
    """

    name: str
    states: np.ndarray
    actions: np.ndarray
    motions: np.ndarray
    instructions: tuple[str, ...]
    goals: tuple[Cell, ...] | None
    pictures: tuple[str, ...] = ()


class Source(ABC):
    """A dataset to look at.

    Attributes:
        path: its folder.
        about: what is known of it, plain values by their names.
        action_spec: what its actions mean.
    """

    path: Path
    about: dict[str, str]
    action_spec: ActionSpec

    @abstractmethod
    def names(self) -> list[str]:
        """Of all episodes."""

    @abstractmethod
    def load(self, name: str) -> InspectedEpisode:
        """An episode.

        Raises:
            FileError: naming the file and what is wrong with it.
        """

    @abstractmethod
    def sample(self, name: str, moments: int, size: int) -> list[np.ndarray]:
        """Pictures of an episode, evenly spread from its first frame to its last: uint8[H, W, 3].

        Args:
            name: of the episode.
            moments: how many.
            size: side in pixels, of what has to be drawn.

        Raises:
            RenderError: if they have to be drawn, and no graphics driver works.
        """

    def close(self) -> None:  # noqa: B027 -- most sources hold nothing
        """Frees what ``sample`` opened."""


def open_source(path: Path) -> Source:
    """The dataset in a folder.

    Raises:
        FileError: if there is none that is known.
    """
    path = Path(path)
    if (path / SETTINGS_FILE).exists():
        return Demonstrations(path)
    if (path / "meta" / "info.json").exists():
        return LeRobot(path)
    raise FileError(
        f"{path} holds no dataset: neither {SETTINGS_FILE} of `bomb collect` nor meta/info.json of LeRobot"
    )


class Demonstrations(Source):
    """BOMB's own."""

    def __init__(self, path: Path):
        self.path, self._dataset = path, Dataset.open(path)
        settings = self._dataset.settings
        self.action_spec = ActionSpec(mode=settings["action_mode"], control_hz=settings["control_hz"])
        self._renderer = None
        self.about = {
            "task": settings["task"],
            "simulators": ", ".join(settings["backends"]),
            "split": settings["split"],
            "held out": ", ".join(settings["held_out"]["sets"]) or "nothing",
            "perturbations": ", ".join(f"{k}: {v}" for k, v in settings["perturbations"].items()) or "none",
            "diversity": str(settings["diversity"]),
            "actions": settings["action_mode"],
            "control": f"{settings['control_hz']} Hz",
            "failures kept aside": str(len(self._dataset.failures())),
        }

    def names(self) -> list[str]:
        return [f"seed {seed}" for seed in self._dataset.seeds()]

    def load(self, name: str) -> InspectedEpisode:
        demonstration = self._dataset.load(_number(name))
        states = demonstration.observations[:-1]
        placements = [done["goal"] for done in demonstration.about["moves"]["placements"]]
        goals = placements or [demonstration.about["goal"]]
        cells = [(g["row"], g["column"]) for g in goals if g["kind"] == "intersection"]
        return InspectedEpisode(
            name=name,
            states=states,
            actions=demonstration.actions,
            motions=converted(demonstration.actions, states[0, :3], self.action_spec, "delta"),
            instructions=tuple(demonstration.instructions),
            goals=tuple(cells),
        )

    def sample(self, name: str, moments: int, size: int) -> list[np.ndarray]:
        from bomb.demonstrations.pictures import Renderer

        demonstration = self._dataset.load(_number(name))
        if self._renderer is None:
            backend = demonstration.about["backend"]
            self._renderer = Renderer(self._dataset.settings, backend=backend, image_size=(size, size))
        wanted = _spread(demonstration.length, moments)
        frames = enumerate(self._renderer.frames(demonstration))
        return [frame["images"]["head"] for t, frame in frames if t in wanted]

    def close(self) -> None:
        if self._renderer is not None:
            self._renderer.close()


class LeRobot(Source):
    """LeRobotDataset v2.1 or v3.0 with BOMB's features, one row group or file per episode."""

    def __init__(self, path: Path):
        self.path, info = path, read_json(path / "meta" / "info.json")
        missing = {"observation.state", "action"} - set(info.get("features", {}))
        if missing:
            raise FileError(f"{path / 'meta' / 'info.json'} has no feature {sorted(missing)[0]}")
        marker = path / "bomb_export.json"
        mode = read_json(marker)["about"]["settings"]["actions"] if marker.exists() else "delta"
        self.action_spec = ActionSpec(mode=mode, control_hz=int(info["fps"]))
        self._info = info
        self._tasks = _tasks(path)
        self._cameras = [n for n, f in info["features"].items() if n.startswith("observation.images.")]
        self._stored = [n for n in self._cameras if info["features"][n]["dtype"] == "image"]
        self.about = {
            "format": f"LeRobotDataset {info['codebase_version']}",
            "robot": str(info["robot_type"]),
            "features": ", ".join(name for name in info["features"] if "." in name or name == "action"),
            "actions": mode,
            "control": f"{info['fps']} Hz",
        }

    def names(self) -> list[str]:
        return [f"episode {k}" for k in range(self._info["total_episodes"])]

    def load(self, name: str) -> InspectedEpisode:
        table = self._table(_number(name))
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

        camera, table = self._cameras[0], self._table(_number(name))
        rows = sorted(_spread(len(table), moments))
        if camera in self._stored:
            files = [table[camera][row].as_py()["bytes"] for row in rows]
            return [np.asarray(Image.open(io.BytesIO(file)).convert("RGB")) for file in files]
        return self._from_video(_number(name), camera, rows)

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
            for row in pa.parquet.read_table(file, filters=[("episode_index", "=", episode)]).to_pylist():
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
        with av.open(str(self.path / name)) as container:
            for k, frame in enumerate(container.decode(video=0)):
                if k in wanted:
                    found.append(frame.to_ndarray(format="rgb24"))
                if k >= max(wanted):
                    break
        return found


def _number(name: str) -> int:
    return int(name.split()[-1])


def _spread(length: int, moments: int) -> set[int]:
    return set(np.linspace(0, length - 1, moments).round().astype(int).tolist())


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
