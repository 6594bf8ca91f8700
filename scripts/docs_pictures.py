"""Renders docs/pictures/ anew: ``make docs-pictures``. Needs both renderers."""

from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np

import core
from backends.robotwin import render as drawing
from bomb.demo.demo import DemoSettings, every_camera
from bomb.explanation.explaining import explain
from bomb.explanation.page import maps
from bomb.explanation.settings import ExplanationSettings
from bomb.pictures.filming import contact_sheet, film, side_by_side
from bomb.pictures.images import captioned, grid, write_png
from bomb.policies.making import make_policy
from bomb.rollouts.rollout import play
from core.registry import BACKENDS
from core.settings import EnvironmentSettings
from core.world.robot_visuals import KEEP, robot_visuals
from core.world.scene import CameraSpec
from core.world.temporary import temporary_folder

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
SEED = 1
SIZE = (300, 400)
WORDS = ("seen", "effect of patches", "interpolated", "regions")


def _expert(env, watch):
    return play(env, make_policy("expert"), SEED, watch)


def _filmed(backend: str) -> EnvironmentSettings:
    return EnvironmentSettings(
        task="place_stone", backend=backend, cameras=("head",), image_size=SIZE, max_steps=300,
        stop_on_success=True,
    )  # fmt: skip


def simplified_meshes() -> np.ndarray:
    """The robot with all its triangles, and with those that are kept, from afar and from close by."""
    close = CameraSpec(name="head", eye=(0.35, 0.15, 1.15), forward=(-0.35, -0.36, -0.08))
    columns = []
    for share, words in ((1.0, "all 134,000 triangles"), (KEEP, f"{KEEP:.0%} of them")):
        drawing.robot_visuals = partial(robot_visuals, share)
        env = core.make_task(backend="robotwin", image_size=SIZE, supersample=2)
        env.reset(seed=SEED)
        far = env.render()
        env.debug.backend.set_camera(close)
        columns.append([captioned(picture, words) for picture in (far, env.render())])
        env.close()
    drawing.robot_visuals = robot_visuals
    return grid(list(zip(*columns, strict=True)))


def explanation(policy: str) -> np.ndarray:
    """What a policy looks at before the grasp and above the target, through both cameras."""
    stages = ("approach", "above target")
    settings = ExplanationSettings(
        policy=policy, backends=("mujoco",), seeds=(0,), split="validation", stages=stages
    )
    with temporary_folder("explanation") as folder:
        (episode,) = explain(settings, folder)
        drawn = folder / "episodes" / episode["name"]
        return grid(
            [
                [
                    captioned(part.repeat(2, 0).repeat(2, 1), f"{moment['stage']}, {camera}: {words}")
                    for words, part in zip(WORDS, maps(drawn, moment, camera), strict=True)
                ]
                for moment in episode["moments"]
                for camera in moment["patches"]
            ]
        )


def main() -> None:
    """Writes every picture that the docs show."""
    backends = BACKENDS.names()
    films = [film(_filmed(backend), _expert, every=10**9) for backend in backends]
    write_png(PICTURES / "episode.png", contact_sheet(films))
    write_png(PICTURES / "start.png", next(iter(side_by_side(films))))
    settings = DemoSettings(out=PICTURES, seed=SEED, image_size=SIZE)
    write_png(PICTURES / "cameras.png", every_camera(settings, backends))
    write_png(PICTURES / "robot_meshes.png", simplified_meshes())
    write_png(PICTURES / "explanation.png", explanation("keypoint"))
    if find_spec("torch"):
        write_png(PICTURES / "explanation_small.png", explanation("small-vla"))
    for file in sorted(PICTURES.glob("*.png")):
        print(f"{file.relative_to(ROOT)}: {file.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
