"""The main job in a few minutes: play, compare, draw, and show it on one page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import core
from bomb.demo.page import write_page
from bomb.demo.results import DemoResults
from bomb.disk.files import write_json, writing
from bomb.evaluation import EvaluationSettings, evaluate
from bomb.machine.diagnosis import PATIENCE, try_backend
from bomb.machine.progress import progress
from bomb.parity.comparison import compare
from bomb.parity.study import StudyPlan
from bomb.parity.table import to_json, to_text
from bomb.pictures.filming import Film, contact_sheet, film, side_by_side
from bomb.pictures.images import captioned, grid, write_mp4, write_png
from bomb.policies.making import make_policy
from bomb.rollouts.rollout import play
from bomb.runs.replaying import played
from core.errors import BombError, Number, check_flag, check_numbers
from core.registry import BACKENDS
from core.seeding import check_seed
from core.world.stage import CAMERAS

MAX_STEPS = 300
Say = Callable[[str], None]


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
        policy: words of a policy that plays beside the expert, from pictures; None: none.
        policy_episodes: of it in each simulator.
        timeout: seconds that a renderer may take for its first picture.
    """

    out: Path
    episodes: int = 20
    parity_episodes: int = 20
    seed: int = 0
    sheets: int = 2
    image_size: tuple[int, int] = (360, 480)
    pictures: bool = True
    policy: str | None = None
    policy_episodes: int = 10
    timeout: float = 300.0

    def __post_init__(self) -> None:
        least = {"episodes": 1, "parity_episodes": 1, "sheets": 0, "policy_episodes": 1}
        numbers = {name: Number(least=number) for name, number in least.items()}
        check_numbers(self, {**numbers, "timeout": PATIENCE})
        check_seed(self.seed)
        check_flag("pictures", self.pictures)


def demo(settings: DemoSettings, say: Say = print) -> Path:
    """Runs the whole demonstration.

    Args:
        settings: how much of everything.
        say: called with one line per step.

    Returns:
        The page.
    """
    out, results = settings.out, DemoResults()
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
    drawing = _who_can_draw(settings, results, say)
    backends = BACKENDS.names()
    say(f"the expert plays {settings.episodes} episodes in each of {' and '.join(backends)}")
    for entry in _played("expert", backends, settings.episodes, settings.seed):
        results.expert[entry["backend"]] = entry
        write_json(out / f"expert_{entry['backend']}.json", entry)
    # Written after every part, so that an interrupted demo leaves a page too.
    page = out / "index.html"
    write_page(page, results, settings.parity_episodes)
    if settings.policy is not None:
        _play_policy(settings.policy, settings, drawing, results, say)
        write_page(page, results, settings.parity_episodes)
    if drawing:
        _draw(settings, drawing, results, say)
        write_page(page, results, settings.parity_episodes)
    say(f"bomb parity compares the simulators on a sample of {settings.parity_episodes} episodes")
    results.parity = _parity(settings, results, say)
    write_page(page, results, settings.parity_episodes)
    return page


def _played(policy: str, backends: Sequence[str], episodes: int, seed: int) -> list[dict[str, Any]]:
    """The result of each simulator."""
    asked = EvaluationSettings(
        policy=policy, backends=tuple(backends), episodes=episodes, seed=seed, max_steps=MAX_STEPS
    )
    with progress(total=episodes * len(backends), unit="episode") as bar:
        result = evaluate(asked, report=lambda row: bar.update())
    if result["stopped"]:
        raise KeyboardInterrupt if result["stopped"] == "interrupted" else BombError(result["stopped"])
    return [{**entry, "cameras": result["cameras"], "image_size": result["image_size"],
             "privileged": result["privileged"]} for entry in result["conditions"]]  # fmt: skip


def _play_policy(
    policy: str, settings: DemoSettings, drawing: Sequence[str], results: DemoResults, say: Say
) -> None:
    """A policy that sees pictures alone plays the same episodes; what stands in its way is a note."""
    if not drawing:
        results.notes.append(f"{policy} plays from pictures, and none can be drawn here.")
        return
    say(f"{policy} plays {settings.policy_episodes} of them from pictures in each of {' and '.join(drawing)}")
    try:
        entries = _played(policy, drawing, settings.policy_episodes, settings.seed)
    except BombError as error:
        results.notes.append(f"{policy} could not play: {error}")
        say(results.notes[-1])
        return
    for entry in entries:
        results.policy[entry["backend"]] = entry
        write_json(settings.out / f"policy_{entry['backend']}.json", entry)
    results.policy_name = policy


def _who_can_draw(settings: DemoSettings, results: DemoResults, say: Say) -> list[str]:
    """Simulators whose renderer works here; each is tried in a process of its own."""
    if not settings.pictures:
        results.notes.append("Pictures and the video were skipped, as requested.")
        return []
    drawing = []
    for backend in BACKENDS.names():
        say(f"trying the renderer of {backend}")
        finding = try_backend(backend, ("head",), settings.timeout)
        if finding.ok:
            drawing.append(backend)
        else:
            words = f"No pictures of {backend}: {finding.found}. To fix it: {finding.advice}."
            results.notes.append(words)
            say(words)
    return drawing


def _draw(settings: DemoSettings, backends: list[str], results: DemoResults, say: Say) -> None:
    """Contact sheets, one video, and every camera's view of one moment."""
    out = settings.out
    for k in range(settings.sheets):
        seed, moving = settings.seed + k, k == 0
        say(f"drawing episode {seed} in {' and '.join(backends)}")
        players = ["expert", *([results.policy_name] if results.policy_name is not None else [])]
        films = [
            _film(player, backend, seed, settings, every=1 if moving else 10**9)
            for player in players
            for backend in backends
        ]
        words = f"“{films[0].result.record.about['instruction']}” (seed {seed})"
        sheet = out / f"episode_{seed}.png"
        write_png(sheet, contact_sheet(films))
        results.sheets.append((sheet, words))
        if moving:
            hz = films[0].result.record.about["control_hz"]
            video = out / f"episode_{seed}.mp4"
            write_mp4(video, side_by_side(films, columns=len(backends)), fps=hz)
            results.video = (video, words + ", in real time")
    say("drawing every camera")
    results.cameras = out / "cameras.png"
    write_png(results.cameras, every_camera(settings, backends))


def _film(player: str, backend: str, seed: int, settings: DemoSettings, every: int) -> Film:
    environment = core.EnvironmentSettings(
        backend=backend, image_size=settings.image_size, max_steps=MAX_STEPS, stop_on_success=True
    )
    made = film(environment, played(make_policy(player), seed), every=every)
    made.backend = f"{player}, {backend}"
    return made


def every_camera(settings: DemoSettings, backends: list[str]) -> npt.NDArray[np.uint8]:
    """One row per simulator, one column per camera, at the moment of the grasp."""
    return grid([_views(settings, backend) for backend in backends])


def _views(settings: DemoSettings, backend: str) -> list[npt.NDArray[np.uint8]]:
    """What every camera sees when the stone is grasped; at the end, if it never is."""
    cameras = tuple(CAMERAS)
    views: list[npt.NDArray[np.uint8]] = []
    env = core.make_task(
        backend=backend, cameras=cameras, modalities=(), image_size=settings.image_size, max_steps=MAX_STEPS
    )

    def look(env: core.Environment) -> None:
        views.extend(captioned(env.render_camera(name).colors, f"{backend}: {name}") for name in cameras)

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


def _parity(settings: DemoSettings, results: DemoResults, say: Say) -> dict[str, Any] | None:
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
