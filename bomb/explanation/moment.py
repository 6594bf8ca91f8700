"""All that is measured at one moment, as plain values for JSON."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bomb.explanation.asking import Asker, Change, Question, Scored, patch_changes, span_changes
from bomb.explanation.counterfactual import follow, swaps_of
from bomb.explanation.grids import Grid
from bomb.explanation.occluders import SENSITIVITY, filling, occlude
from bomb.explanation.regions import (
    areas,
    camera_in_world,
    chosen_stone,
    nuisance,
    region_map,
    shares,
    shown_by,
)
from bomb.explanation.scenes import SCENES, SceneEditor, pixel_twin
from bomb.explanation.settings import ExplanationSettings
from bomb.explanation.spans import spans_of
from bomb.statistics.ranks import spearman
from core.board.goals import Intersection
from core.world.state import SceneState

TOP = 3  # patches that count as those that matter most
CLEAN = Change(name="clean")


@dataclass(frozen=True, kw_only=True, eq=False)
class Moment:
    """One look of an episode.

    Attributes:
        stage: one of ``bomb.explanation.moments.STAGES``.
        question: what the policy was asked.
        seen: the whole observation, with segmentation.
        state: of the world.
        stone: the one that is meant; None: there is none.
    """

    stage: str
    question: Question
    seen: dict[str, Any]
    state: SceneState
    stone: int | None


# Called with the asker of a model, which needs torch, and what it answered.
Inside = Callable[[Any, Question, Any, Mapping[str, Change], Mapping[str, np.ndarray]], dict[str, Any]]


def explain_moment(
    asker: Asker,
    moment: Moment,
    editor: SceneEditor,
    settings: ExplanationSettings,
    *,
    sensitivity: bool,
    inside: Inside | None = None,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Asks everything of one moment.

    Args:
        asker: of the policy.
        moment: when.
        editor: of the episode, which has begun.
        settings: what is asked.
        sensitivity: whether the map is repeated under other occluders.
        inside: restores activations; None: the policy has no inside that can be reached.

    Returns:
        Plain values; and pictures by name: what was seen, the regions, the scenes without a thing.
    """
    question, step = moment.question, moment.question.step
    action, reference = asker.decide(question)
    clean = asker.score(question, reference, [CLEAN])
    seen = moment.seen
    episode = editor.env.episode
    goal, spec = editor.env.move.goal, editor.env.action_spec
    stone = moment.stone
    if stone is None:
        stone = chosen_stone(episode.scene, goal, moment.state, seen["state"][:3])
    views = {
        camera.name: camera_in_world(camera, episode.scene, moment.state) for camera in episode.scene.cameras
    }
    regions = {
        name: region_map(seen["segmentation"][name], episode.scene, goal, views[name], stone)
        for name in seen["images"]
    }
    pictures = {f"{name}": seen["images"][name] for name in seen["images"]}
    pictures |= {f"{name}_regions": regions[name] for name in regions}
    found: dict[str, Any] = {
        "stage": moment.stage,
        "step": step,
        "action": np.asarray(action, dtype=float).round(5).tolist(),
        "clean": float(clean.total[0]),
        "words": question.observation["instruction"],
        "patches": {},
        "spans": [],
    }
    candidates: dict[str, tuple[float, Change]] = {}
    for camera, own in asker.grids.items():
        grid = own.coarser(settings.grid)
        scores = _map(asker, question, reference, clean, camera, grid, settings.occluder)
        changes = _changes(question, camera, grid, settings.occluder)
        entry = _patches(grid, scores, regions[camera])
        best = int(np.argmax(scores.total))
        _offer(candidates, "patch", float(scores.total[best]), changes[best], f"{camera} {grid.label(best)}")
        if sensitivity:
            entry["sensitivity"] = _sensitivity(
                asker, question, reference, clean, camera, grid, regions[camera], settings.occluder, scores
            )
        found["patches"][camera] = entry
    spans = spans_of(question.observation["instruction"])
    if spans:
        scores = asker.score(question, reference, span_changes(spans)).effects(clean)
        text = question.observation["instruction"]
        for k, (name, span) in enumerate(spans.items()):
            found["spans"].append({"name": name, "text": text[span.start : span.end], **_entry(scores, k)})
            _offer(candidates, "span", float(scores.total[k]), Change(name=name, hidden=(span,)), name)
    found["scenes"], drawn = _scenes(
        asker, question, reference, clean, moment, editor, stone, regions, settings.occluder
    )
    pictures |= drawn
    if isinstance(goal, Intersection) and settings.swaps:
        swaps = swaps_of(goal, episode.scene.board.size, settings.swaps, episode.seed)
        followed = follow(asker, question, episode.scene, goal, spec, swaps)
        found["swaps"] = [one.to_dict() for one in followed]
    found["inside"] = []
    if inside is not None:
        for kind, (effect, change) in candidates.items():
            part = inside(asker, question, reference, {kind: change}, regions)
            found["inside"].append({"corrupted": kind, "by": change.name, "effect": effect, **part})
    return found, pictures


def _changes(question: Question, camera: str, grid: Grid, occluder: str) -> list[Change]:
    picture = question.observation["images"][camera]
    return patch_changes(question, camera, grid, _fill(picture, occluder, grid))


def _fill(picture: np.ndarray, occluder: str, grid: Grid) -> np.ndarray:
    return filling(picture, occluder, width=picture.shape[0] / grid.rows)


def _map(
    asker: Asker,
    question: Question,
    reference: Any,
    clean: Scored,
    camera: str,
    grid: Grid,
    occluder: str,
) -> Scored:
    return asker.score(question, reference, _changes(question, camera, grid, occluder)).effects(clean)


def _patches(grid: Grid, scores: Scored, regions: np.ndarray) -> dict[str, Any]:
    numbers = grid.numbers(*regions.shape)
    shared = shares(scores.total, numbers, regions)
    shown = shown_by(numbers, len(grid), regions)
    first = [int(k) for k in np.argsort(-scores.total, kind="stable")[:TOP] if scores.total[k] > 0]
    return {
        "grid": {"rows": grid.rows, "cols": grid.cols, "box": list(grid.box)},
        "effects": scores.total.tolist(),
        "groups": {name: values.tolist() for name, values in scores.groups.items()},
        "shares": shared,
        "areas": areas(numbers, regions),
        "nuisance": nuisance(shared),
        "shown": shown,
        "first": first,
    }


def _sensitivity(
    asker: Asker,
    question: Question,
    reference: Any,
    clean: Scored,
    camera: str,
    grid: Grid,
    regions: np.ndarray,
    usual: str,
    known: Scored,
) -> dict[str, Any]:
    numbers, found = grid.numbers(*regions.shape), {}
    for occluder in SENSITIVITY:
        scores = (
            known if occluder == usual else _map(asker, question, reference, clean, camera, grid, occluder)
        )
        flat = np.ptp(known.total) == 0 or np.ptp(scores.total) == 0
        rank = None if flat else float(spearman(known.total, scores.total))
        found[occluder] = {
            "effects": scores.total.tolist(),
            "shares": shares(scores.total, numbers, regions),
            "rank": rank,
        }
    return found


def _scenes(
    asker: Asker,
    question: Question,
    reference: Any,
    clean: Scored,
    moment: Moment,
    editor: SceneEditor,
    stone: int | None,
    regions: Mapping[str, np.ndarray],
    occluder: str,
) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """Each thing taken out of the scene, and the same thing painted over in the picture."""
    images, changes, names = question.observation["images"], [], []
    drawn: dict[str, np.ndarray] = {}
    for what in SCENES:
        if what == "stone" and stone is None:
            continue
        without = editor.without(what, moment.state, question.step, seen=moment.seen, stone=stone)
        without = {camera: picture for camera, picture in without.items() if camera in images}
        hidden = {
            camera: pixel_twin(what, regions[camera], images[camera], without[camera]) for camera in without
        }
        painted = {camera: occlude(images[camera], hidden[camera], occluder) for camera in without}
        changes += [Change(name=what, pictures=without), Change(name=what, pictures=painted)]
        names.append((what, {camera: int(mask.sum()) for camera, mask in hidden.items()}))
        drawn |= {f"{camera}_without_{what}": picture for camera, picture in without.items()}
    scores = asker.score(question, reference, changes).effects(clean)
    return [
        {
            "what": what,
            "pixels": counted,
            "scene": float(scores.total[2 * k]),
            "painted": float(scores.total[2 * k + 1]),
        }
        for k, (what, counted) in enumerate(names)
    ], drawn


def _entry(scores: Scored, k: int) -> dict[str, Any]:
    return {
        "effect": float(scores.total[k]),
        "groups": {name: float(values[k]) for name, values in scores.groups.items()},
    }


def _offer(
    candidates: dict[str, tuple[float, Change]], kind: str, effect: float, change: Change, name: str
) -> None:
    """Keeps the strongest intervention of each kind."""
    if kind not in candidates or effect > candidates[kind][0]:
        named = Change(name=name, pictures=change.pictures, hidden=change.hidden)
        candidates[kind] = (effect, named)


def cost(asker: Asker, settings: ExplanationSettings, inside: int) -> int:
    """Questions of a moment, at most; one of each episode's asks the patches under two more occluders.

    Args:
        asker: of the policy.
        settings: what is asked.
        inside: passes that restoring takes.
    """
    patches = sum(len(grid.coarser(settings.grid)) for grid in asker.grids.values())
    return 2 + patches + 8 + 2 * len(SCENES) + 1 + settings.swaps + inside
