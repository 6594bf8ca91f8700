"""The main job in a few minutes: play, compare, draw, and show it on one page."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import core
from bomb.demo.page import write_page
from bomb.demo.results import DemoResults
from bomb.disk.files import write_json
from bomb.evaluation import EvaluationSettings, evaluate
from bomb.machine.diagnosis import try_backend
from bomb.machine.progress import progress
from bomb.parity.comparison import compare
from bomb.parity.study import StudyPlan
from bomb.parity.table import to_json, to_text
from bomb.pictures.filming import Film, contact_sheet, film, side_by_side
from bomb.pictures.images import captioned, grid, write_mp4, write_png
from bomb.policies.making import make_policy
from bomb.rollouts.rollout import play
from core.errors import BombError
from core.registry import BACKENDS
from core.world.stage import CAMERAS

MAX_STEPS = 300


@dataclass(frozen=True, kw_only=True)
class DemoSettings:
    """How much of everything.

    Attributes:
        out: folder of the results.
        episodes: of the expert in each simulator.
        parity_episodes: size of the parity sample.
        seed: of the first episode.
        sheets: how many episodes are drawn moment by moment.
        image_size: (height, width) of each picture, in pixels.
        pictures: whether to draw at all.
        timeout: seconds that a renderer may take for its first picture.
    """

    out: Path
    episodes: int = 20
    parity_episodes: int = 20
    seed: int = 0
    sheets: int = 2
    image_size: tuple[int, int] = (360, 480)
    pictures: bool = True
    timeout: float = 300.0


def demo(settings: DemoSettings, say=print) -> Path:
    """Runs the whole demonstration.

    Args:
        settings: how much of everything.
        say: called with one line per step.

    Returns:
        The page.
    """
    out, results = settings.out, DemoResults()
    out.mkdir(parents=True, exist_ok=True)
    drawing = _who_can_draw(settings, results, say)
    backends = BACKENDS.names()
    say(f"the expert plays {settings.episodes} episodes in each of {' and '.join(backends)}")
    with progress(total=settings.episodes * len(backends), unit="episode") as bar:
        result = evaluate(
            EvaluationSettings(
                policy="expert",
                backends=tuple(backends),
                episodes=settings.episodes,
                seed=settings.seed,
                max_steps=MAX_STEPS,
            ),
            report=lambda row: bar.update(),
        )
    if result["stopped"]:
        raise KeyboardInterrupt if result["stopped"] == "interrupted" else BombError(result["stopped"])
    for entry in result["conditions"]:
        results.expert[entry["backend"]] = entry
        write_json(out / f"expert_{entry['backend']}.json", entry)
    # Written after every part, so that an interrupted demo leaves a page too.
    page = out / "index.html"
    write_page(page, results, settings.parity_episodes)
    if drawing:
        _draw(settings, drawing, results, say)
        write_page(page, results, settings.parity_episodes)
    say(f"bomb parity compares the simulators on a sample of {settings.parity_episodes} episodes")
    results.parity = _parity(settings, results, say)
    write_page(page, results, settings.parity_episodes)
    return page


def _who_can_draw(settings: DemoSettings, results: DemoResults, say) -> list[str]:
    """Simulators whose renderer works here; each is tried in a process of its own."""
    if not settings.pictures:
        results.notes.append("Pictures and the video were left out, as asked for.")
        return []
    drawing = []
    for backend in BACKENDS.names():
        say(f"trying the renderer of {backend}")
        finding = try_backend(backend, ("head",), settings.timeout)
        if finding.ok:
            drawing.append(backend)
        else:
            words = f"Pictures of {backend} are left out: {finding.found}. What to do: {finding.advice}."
            results.notes.append(words)
            say(words)
    return drawing


def _draw(settings: DemoSettings, backends: list[str], results: DemoResults, say) -> None:
    """Contact sheets, one video, and every camera's view of one moment."""
    out = settings.out
    for k in range(settings.sheets):
        seed, moving = settings.seed + k, k == 0
        say(f"drawing episode {seed} in {' and '.join(backends)}")
        films = [_film(backend, seed, settings, every=1 if moving else 10**9) for backend in backends]
        words = f"“{films[0].result.record.about['instruction']}” (seed {seed})"
        sheet = out / f"episode_{seed}.png"
        write_png(sheet, contact_sheet(films))
        results.sheets.append((sheet, words))
        if moving:
            hz = films[0].result.record.about["control_hz"]
            video = out / f"episode_{seed}.mp4"
            write_mp4(video, side_by_side(films), fps=hz)
            results.video = (video, words + ", in real time")
    say("drawing every camera")
    results.cameras = out / "cameras.png"
    write_png(results.cameras, every_camera(settings, backends))


def _film(backend: str, seed: int, settings: DemoSettings, every: int) -> Film:
    environment = core.EnvironmentSettings(
        backend=backend, image_size=settings.image_size, max_steps=MAX_STEPS, stop_on_success=True
    )
    return film(environment, partial(_play_expert, seed=seed), every=every)


def _play_expert(env, watch, *, seed: int):
    return play(env, make_policy("expert"), seed, watch)


def every_camera(settings: DemoSettings, backends: list[str]) -> np.ndarray:
    """One row per simulator, one column per camera, at the moment of the grasp."""
    return grid([_views(settings, backend) for backend in backends])


def _views(settings: DemoSettings, backend: str) -> list[np.ndarray]:
    """What every camera sees when the stone is grasped; at the end, if it never is."""
    cameras, views = tuple(CAMERAS), []
    env = core.make_task(
        backend=backend, cameras=cameras, modalities=(), image_size=settings.image_size, max_steps=MAX_STEPS
    )

    def look(env: core.Environment) -> None:
        views.extend(captioned(env.render_camera(name).rgb, f"{backend}: {name}") for name in cameras)

    def watch(env: core.Environment, info: dict[str, Any]) -> None:
        if info["stage"]["grasped"] and not views:
            look(env)

    try:
        play(env, make_policy("expert"), settings.seed, watch)
        if not views:
            look(env)
    finally:
        env.close()
    return views


def _parity(settings: DemoSettings, results: DemoResults, say) -> dict[str, Any] | None:
    """A small parity sample; None if it could not run."""
    file = settings.out / "parity.json"
    file.unlink(missing_ok=True)
    try:
        found = compare(StudyPlan(episodes=settings.parity_episodes, seed=settings.seed), say=say)
    except BombError as error:
        results.notes.append(f"The parity sample could not be run: {error}")
        return None
    say(f"the simulators compared:\n{to_text(found.rows)}")
    table = to_json(found.rows)
    write_json(file, table)
    return table
