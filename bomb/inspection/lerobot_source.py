"""An exported LeRobotDataset, to be looked at."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.demonstrations.settings import action_spec_of
from bomb.disk.files import FileError, read_json
from bomb.exports.actions import converted
from bomb.exports.folder import MARKER as EXPORTED
from bomb.exports.lerobot_folder import LeRobotFolder
from bomb.inspection.sources import InspectedEpisode, Source, number_of, spread
from core.control.actions import ActionSpec


class LeRobot(Source):
    """LeRobotDataset v2.1 or v3.0 with BOMB's features, one row group or file per episode."""

    def __init__(self, path: Path):
        file = path / "meta" / "info.json"
        _check_ours(file, read_json(file))
        self.path, self._folder = path, LeRobotFolder(path)
        info = self._folder.info
        marker = path / EXPORTED
        self.action_spec = ActionSpec(mode="delta", control_hz=self._folder.fps)
        unfinished = {}
        self._apart, self._looks = False, 1
        if marker.exists():
            stored = read_json(marker)
            about = stored["about"]
            if not stored["complete"]:
                unfinished = {"state": "unfinished export: the same `bomb export` resumes it"}
            self.action_spec = replace(action_spec_of(about["dataset"]), mode=about["settings"]["actions"])
            asked = about["settings"]
            self._apart = asked.get("every", 1) > 1 or asked.get("moments") is not None
            self._looks = asked.get("visual_draws", 1)
        self._cameras = [n for n in self._folder.cameras if n.startswith("observation.images.")]
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
        return [f"episode {k}" for k in range(len(self._folder))]

    def load(self, name: str) -> InspectedEpisode:
        table = self._folder.table(number_of(name))
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
            instructions=tuple(self._folder.tasks[k] for k in asked),
            goals=None,
            apart=self._apart,
            # An export has the visual draws of a demonstration one after the other.
            look=str(number_of(name) % self._looks),
            pictures=tuple(
                hashlib.sha256(b"".join(row[name]["bytes"] for name in self._stored)).hexdigest()
                for row in table.select(self._stored).to_pylist()
            )
            if self._stored
            else (),
        )

    def sample(self, name: str, moments: int, size: int) -> list[npt.NDArray[np.uint8]]:
        if not self._cameras:
            return []
        episode = number_of(name)
        table = self._folder.table(episode)
        rows = sorted(spread(len(table), moments))
        return list(self._folder.pictures(episode, self._cameras[0], rows, table))


def _check_ours(file: Path, info: dict[str, Any]) -> None:
    """Returns if the dataset can be looked at: BOMB's features are there, and lerobot's own entries."""
    for name in ("observation.state", "action"):
        feature = info.get("features", {}).get(name)
        if feature is None:
            raise FileError(f"{file} has no feature {name}")
        if feature.get("shape") != [4]:
            raise FileError(f"{file} has {name} of shape {feature.get('shape')}; those of BOMB have [4]")
    if "robot_type" not in info:
        raise FileError(f"{file} lacks robot_type: it is damaged, or of another version")
