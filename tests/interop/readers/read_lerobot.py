"""Reads a dataset with lerobot's own reader and stores all that it gave.

    python read_lerobot.py DATASET OUT.npz

torchvision's compiled half wants a GPU build of torch and its video reader is gone from later releases:
its two operators are declared, and `VideoReader` is PyAV behind the three methods that lerobot calls. So
seeking, the choice of frames by time stamps and their tolerance are lerobot's own code.
"""

import sys
from pathlib import Path

import av
import numpy as np
import torch

library = torch.library.Library("torchvision", "DEF")
library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import torchvision  # noqa: E402


class VideoReader:
    """The part of torchvision's video reader that lerobot uses."""

    def __init__(self, path, stream):
        self.container = av.open(path)
        self._frames = self.container.decode(video=0)

    def seek(self, time, keyframes_only=False):
        self.container.seek(int(time * av.time_base), any_frame=not keyframes_only, backward=True)
        self._frames = self.container.decode(video=0)
        return self

    def __iter__(self):
        return self

    def __next__(self):
        frame = next(self._frames)
        picture = torch.from_numpy(frame.to_ndarray(format="rgb24")).permute(2, 0, 1)
        return {"data": picture, "pts": float(frame.pts * frame.time_base)}


torchvision.io.VideoReader = VideoReader
torchvision.set_video_backend = lambda backend: None

import lerobot  # noqa: E402
from lerobot.datasets.lerobot_dataset import CODEBASE_VERSION, LeRobotDataset  # noqa: E402


def main(root, out):
    """Reads every frame, then again in chunks of actions as openpi's loader asks for them."""
    dataset = LeRobotDataset("bomb/export", root=root, video_backend="pyav")
    stored = {"lerobot": lerobot.__version__, "version": CODEBASE_VERSION, "episodes": dataset.num_episodes}
    items = [dataset[k] for k in range(len(dataset))]
    for name, value in items[0].items():
        values = [item[name] for item in items]
        if isinstance(value, torch.Tensor) and value.ndim == 3 and value.dtype == torch.float32:
            values = [np.rint(v.permute(1, 2, 0).numpy() * 255).astype(np.uint8) for v in values]
        stored[name] = np.array([np.asarray(v) for v in values])
    for feature, statistics in dataset.meta.stats.items():
        for name, value in statistics.items():
            stored[f"stats/{feature}/{name}"] = np.asarray(value)
    times = [k / dataset.fps for k in range(8)]
    chunked = LeRobotDataset(
        "bomb/export", root=root, delta_timestamps={"action": times}, video_backend="pyav"
    )
    chunks = [chunked[k] for k in range(len(chunked))]
    stored["chunks"] = np.array([np.asarray(item["action"]) for item in chunks])
    stored["chunks_is_pad"] = np.array([np.asarray(item["action_is_pad"]) for item in chunks])
    np.savez(out, **stored)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
