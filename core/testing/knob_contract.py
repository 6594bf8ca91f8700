"""What a knob promises: plain draws that severity scales, and no change but what it says, wherever."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from core.environment import Environment
from core.errors import CapabilityError, RegistrationError
from core.make import make_task
from core.perturbations import KNOBS, PERTURBATIONS
from core.perturbations.base import HIGHEST, WITHOUT_PHYSICS, Actuation, Level, Perturbation, Touches
from core.perturbations.presets import PRESETS, make_suite
from core.perturbations.suite import TWIN, Suite
from core.registry import BACKENDS, TASKS
from core.seeding import stream
from core.task import Episode, Task
from core.testing.promise import promise
from core.world.changes import check_changes
from core.world.scene import SceneSpec
from core.world.stage import clean_scene

_SEEN = frozenset({Touches.PICTURE, Touches.CAMERA, Touches.SENSOR})


def check_knob(
    knob: Perturbation,
    *,
    task: str = "place_stone",
    backends: Sequence[str] | None = None,
    seeds: Iterable[int] = range(3),
    split: str = "ci",
    cameras: tuple[str, ...] = ("head",),
) -> None:
    """Checks all that the contract of ``core.Perturbation`` promises.

    Args:
        knob: the knob, made; its class need not be registered.
        task: whose episodes are perturbed.
        backends: simulators to turn it in; None takes every registered one that can do it.
        seeds: of the episodes.
        split: which family of seeds.
        cameras: whose pictures are looked at; empty needs no graphics driver.

    Raises:
        ContractError: for the first promise that is broken.
    """
    who = f"perturbation {type(knob).__name__}"
    name: Any = getattr(knob, "name", None)
    plain = isinstance(name, str) and name.isidentifier() and name not in (TWIN, *PRESETS)
    promise(plain, who, f"its name is one word that is no preset and not {TWIN!r}, got {name!r}")
    ours = (
        {} if name in PERTURBATIONS.names() else {name: f"{type(knob).__module__}:{type(knob).__qualname__}"}
    )
    with PERTURBATIONS.temporarily(ours):
        try:
            promise(type(KNOBS[name]) is type(knob), who, f"{name!r} is registered for this class")
        except RegistrationError as error:
            promise(False, who, f"it can be registered: {error}")
        promise(bool(type(knob).__doc__), who, "its class has a docstring, which `bomb knobs` prints")
        graded = bool(knob.unit and knob.statistic)
        promise(bool(knob.sets) or graded, who, "a graded knob has a unit and a statistic")
        seeds = list(seeds)
        _check_draws(who, knob, seeds, split)
        made = TASKS.load(task)()
        scene = make_suite({name: _levels(knob)[-1]}).prepare(made.stage(clean_scene(cameras or ("head",))))
        for level in _levels(knob):
            for seed in seeds:
                _check_episode(who, knob, level, made, scene, split, seed)
        names = BACKENDS.names() if backends is None else list(backends)
        _check_engines(who, knob, task, names, seeds, split, cameras)


def _levels(knob: Perturbation) -> list[Level]:
    return list(knob.sets) or [1, HIGHEST]


def _check_draws(who: str, knob: Perturbation, seeds: Sequence[int], split: str) -> None:
    for seed in seeds:
        draws, ends = [], []
        for level in _levels(knob):
            rng, other = (stream(split, seed, f"perturbation:{knob.name}") for _ in range(2))
            draw = knob.draw(rng, level)
            promise(draw == knob.draw(other, level), who, "the same stream and level give the same draw")
            try:
                plain = isinstance(draw, dict) and json.loads(json.dumps(draw, allow_nan=False)) == draw
            except (TypeError, ValueError):
                plain = False
            promise(plain, who, f"a draw is a dict of plain values that JSON can carry, got {draw!r}")
            promise(
                not {"set", "severity", "cameras", "visual_draw"} & set(draw),
                who,
                "a draw leaves those keys to BOMB",
            )
            draws.append(draw)
            ends.append(rng.bit_generator.state)
        if not knob.sets:
            same = all(end == ends[0] for end in ends)
            promise(same, who, "every severity takes the same from the stream, and only scales it")
            promise(draws[0] != draws[-1], who, "severities 1 and 5 draw different values")


def _check_episode(
    who: str, knob: Perturbation, level: Level, task: Task, scene: SceneSpec, split: str, seed: int
) -> None:
    suite = make_suite({knob.name: level})
    try:
        knob.check_task(task, level)
    except CapabilityError:
        return
    clean = task.make_episode(scene, split=split, seed=seed)
    one, other = (suite.episode(task, scene, split=split, seed=seed) for _ in range(2))
    same = (one.scene, one.state, one.moves, one.perturbation) == (
        other.scene, other.state, other.moves, other.perturbation
    )  # fmt: skip
    promise(same, who, f"the same seed gives the same episode (seed {seed}, level {level!r})")
    goals = [move.goal for move in one.moves] == [move.goal for move in clean.moves]
    promise(goals, who, f"what is asked for stays as it is (seed {seed}, level {level!r})")
    try:
        check_changes(scene, one.scene, backend="that has only these", capabilities=knob.capabilities)
    except CapabilityError as error:
        promise(False, who, f"it declares the capabilities that its changes need: {error}")
    if knob.touches in WITHOUT_PHYSICS:
        promise(
            one.state == clean.state, who, f"a knob of {knob.touches.name} leaves the world's state alone"
        )
        promise(one.scene.physics == clean.scene.physics, who, "it leaves physics alone")
    if knob.touches is not Touches.WORDS:
        words = [move.instruction for move in one.moves] == [move.instruction for move in clean.moves]
        promise(words, who, "only a knob of WORDS changes what is said")
    if level == _levels(knob)[-1]:
        promise(_noticed(suite, one, clean, scene), who, f"level {level!r} changes something (seed {seed})")


def _noticed(suite: Suite, one: Episode, clean: Episode, built: SceneSpec) -> bool:
    """Whether anything of an episode differs from its clean twin; what sensors do shows in pictures alone."""
    if any(KNOBS[name.partition("@")[0]].touches is Touches.SENSOR for name in suite.levels):
        return True
    here, there = (one.scene, one.state, one.moves), (built, clean.state, clean.moves)
    return here != there or suite.actuation(one) != Actuation()


def _check_engines(
    who: str,
    knob: Perturbation,
    task: str,
    backends: Sequence[str],
    seeds: Sequence[int],
    split: str,
    cameras: tuple[str, ...],
) -> None:
    strongest = {knob.name: _levels(knob)[-1]}
    options: dict[str, Any] = {"cameras": cameras, "image_size": (64, 64), "split": split}
    starts: dict[str, list[Any]] = {}
    for name in backends:
        try:
            env = make_task(task, backend=name, perturbations=strongest, **options)
        except CapabilityError:
            continue
        with env, make_task(task, backend=name, **options) as clean:
            starts[name] = [_start(who, env, clean, knob, seed) for seed in seeds]
    promise(bool(starts), who, f"one of {', '.join(backends)} can do it")
    first, *others = starts.values()
    promise(all(other == first for other in others), who, f"{', '.join(starts)} get the same episodes")


def _start(who: str, env: Environment, clean: Environment, knob: Perturbation, seed: int) -> tuple[Any, ...]:
    observation, info = env.reset(seed=seed)
    plain, _ = clean.reset(seed=seed)
    start = env.scene_state
    if observation.get("images") and knob.touches in _SEEN:
        pairs = [(observation["images"][c], plain["images"][c]) for c in observation["images"]]
        differs = any(not np.array_equal(one, other) for one, other in pairs)
        promise(differs, who, f"a picture shows it in {env.backend_name} (seed {seed})")
        shaped = all((one.shape, one.dtype) == (other.shape, other.dtype) for one, other in pairs)
        promise(shaped, who, "pictures keep their shape and kind")
    for _ in range(3):
        env.step(env.hold_action())
    return start.to_bytes(), info
