"""Writes the export that ``openvla_values.py`` reads: ``python -m tests.interop.readers.openvla_export DIR``.

By the format's own writer, of made-up vectors and pictures. Needs the extra `rlds`.
"""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from bomb.exports.frames import ExportFrame
from bomb.exports.plan import EpisodePlan, ExportPlan
from bomb.exports.rlds import RldsWriter
from bomb.exports.settings import ExportSettings
from tests.interop.readers import openvla_values as made

CAMERAS = ("head", "wrist")


def plan() -> ExportPlan:
    """Every episode, with the vectors as the format has them."""
    episodes = []
    for k in range(len(made.LENGTHS)):
        episode = made.episode(k)
        length = len(episode["states"])
        # A demonstration has one observation more than it has actions.
        demonstration = SimpleNamespace(observations=episode["states"][[*range(length), -1]])
        states, actions = RldsWriter.vectors(demonstration, episode["actions"])
        episodes.append(
            EpisodePlan(
                seed=k, fingerprint="", index=k, first=sum(made.LENGTHS[:k]), rows=np.arange(length),
                tasks=np.full(length, k), texts=(episode["words"],) * length, instructions=(),
                states=states, actions=actions,
            )
        )  # fmt: skip
    return ExportPlan(episodes=tuple(episodes), tasks=tuple(e.texts[0] for e in episodes))


def main(out: str) -> None:
    """One shard and what makes it readable."""
    settings = ExportSettings(
        format="rlds", backend="mujoco", cameras=CAMERAS, image_size=made.SIZE, name=made.NAME
    )
    writer, whole = RldsWriter(settings, {"task": "place_stone", "control_hz": 20}), plan()
    root = writer.root(Path(out))
    root.mkdir(parents=True)

    def frames(k: int):
        episode = made.episode(k)
        for t in range(made.LENGTHS[k]):
            yield ExportFrame(images={camera: episode[camera][t] for camera in CAMERAS}, columns={})

    report = writer.write_shard(root, ((episode, frames(episode.index)) for episode in whole.episodes))
    writer.finish(root, 0)
    writer.write_meta(root, whole, [range(report.episodes)], report.histograms, report.lines)


if __name__ == "__main__":
    main(*sys.argv[1:])
