"""The knobs of one environment: which are on, what they draw, and what that makes of an episode."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from core.backend import Backend, CameraImage
from core.errors import CapabilityError, OptionError
from core.perturbations import KNOBS
from core.perturbations.base import WITHOUT_PHYSICS, Actuation, Level, Perturbation, Touches, split_name
from core.perturbations.conditions import ConditionSet
from core.seeding import stream
from core.task import Episode, Task
from core.world.scene import SceneSpec
from core.world.stage import CAMERAS

VISUAL_DRAW = "visual_draw"  # in a knob's draw: its number, where it is another one than is played
TWIN = "twin"  # beside the knobs' draws: what an episode shares with its clean twin


@dataclass(frozen=True, kw_only=True)
class Suite:
    """The knobs that are on, or the episodes of a condition set.

    Attributes:
        levels: ``name`` or ``name@camera`` to severity or set, in the order of ``KNOBS``, without zeros.
        conditions: where the draws come from; None to draw them.
    """

    levels: dict[str, Level] = field(default_factory=dict)
    conditions: ConditionSet | None = None

    def check(self, backend: type[Backend], task: Task, cameras: Iterable[str]) -> None:
        """Returns if every knob can be turned.

        Raises:
            CapabilityError: naming the knob, and what the backend or the task cannot do.
            OptionError: if a knob is for a camera that the environment does not have, or a condition set for
                another task.
        """
        if self.conditions is not None and self.conditions.task != task.name:
            raise OptionError(
                f"the condition set has episodes of the task {self.conditions.task!r}, not of {task.name!r}"
            )
        for name, level in self.levels.items():
            knob, camera = _knob(name)
            missing = sorted(c.value for c in knob.capabilities - backend.capabilities)
            if missing:
                raise CapabilityError(
                    f"backend {backend.name!r} cannot do {name}: it has no {', '.join(missing)}"
                )
            knob.check_task(task, level)
            if camera is not None and camera not in cameras:
                raise OptionError(
                    f"{name} is for a camera that is not there; cameras: {', '.join(cameras) or 'none'}"
                )

    def prepare(self, scene: SceneSpec) -> SceneSpec:
        """What the world is built as, so that every knob can be turned in place."""
        for name in self.levels:
            scene = _knob(name)[0].prepare(scene)
        return scene

    def lowest_table(self) -> float:
        """By how much the table may stand lower than the clean one (m)."""
        return max((_knob(name)[0].lowest_table(level) for name, level in self.levels.items()), default=0.0)

    def draw(self, split: str, seed: int, visual_draw: int = 0) -> dict[str, dict[str, Any]]:
        """The draws of one episode by knob; each knob has a stream of its own.

        Args:
            split, seed: of the episode.
            visual_draw: number of the draw of what is only seen and said; 0 is the one that is played.

        Raises:
            OptionError: if a condition set is asked for another draw than its own.
        """
        if self.conditions is not None:
            if visual_draw:
                raise OptionError("a condition set has one draw of each episode; visual_draw must be 0")
            return self.conditions.draws(split, seed)
        draws = {}
        for name, level in self.levels.items():
            knob, camera = _knob(name)
            head: dict[str, Any] = {"set": level} if knob.sets else {"severity": level}
            if visual_draw and knob.touches in WITHOUT_PHYSICS:
                head[VISUAL_DRAW] = visual_draw
            purpose = _purpose(knob, head)
            if knob.per_camera:
                cameras = CAMERAS if camera is None else (camera,)
                drawn = {c: knob.draw(stream(split, seed, f"{purpose}:{c}"), level) for c in cameras}
                draws[name] = {**head, "cameras": drawn}
            else:
                draws[name] = {**head, **knob.draw(stream(split, seed, purpose), level)}
        return draws

    def episode(
        self, task: Task, scene: SceneSpec, *, split: str, seed: int, visual_draw: int = 0
    ) -> Episode:
        """The episode of a seed.

        Args:
            task: draws it.
            scene: the world as it was built.
            split, seed: of the episode.
            visual_draw: see ``draw``.

        Raises:
            EpisodeInitializationError: if no layout meets the constraints.
            OptionError: if a condition set has no such episode, or one with another goal.
        """
        if not self.levels:
            return task.make_episode(scene, split=split, seed=seed)
        draws = self.draw(split, seed, visual_draw)
        draws = {name: draws[name] for name in self.levels}  # the order in which they are applied
        knobs = [(_knob(name)[0], draw) for name, draw in draws.items()]
        dressed = scene
        for knob, draw in knobs:
            dressed = knob.dress(dressed, draw)
        plain = episode = task.make_episode(dressed, split=split, seed=seed)
        if self.conditions is not None:
            self.conditions.check_goal(episode)
        for knob, draw in knobs:
            episode = knob.arrange(episode, draw, task)
        here, there = dressed.board.X_WB, scene.board.X_WB
        elsewhere = (here.p[:2], here.q) != (there.p[:2], there.q)
        return replace(episode, perturbation={**draws, TWIN: shared(plain, episode, elsewhere=elsewhere)})

    def actuation(self, episode: Episode) -> Actuation:
        """What happens to the actions of an episode."""
        actuation = Actuation()
        for knob, draw in _draws(episode):
            actuation = knob.actuate(actuation, draw)
        return actuation

    def develop(self, episode: Episode, camera: str, period: int, image: CameraImage) -> CameraImage:
        """What a camera makes of its picture in control period ``period``."""
        if image.rgb is None:
            return image
        rgb = image.rgb
        for knob, draw in _draws(episode):
            if knob.touches is Touches.SENSOR and camera in draw["cameras"]:
                rng = stream(episode.split, episode.seed, f"{_purpose(knob, draw)}:{camera}:{period}")
                rgb = knob.develop(rgb, draw["cameras"][camera], rng)
        return image if rgb is image.rgb else replace(image, rgb=rgb)


def shared(clean: Episode, perturbed: Episode, *, elsewhere: bool = False) -> dict[str, Any]:
    """What an episode shares with its clean twin: the same task, split and seed without knobs.

    Args:
        clean: the episode before anything was arranged: goal, words and stones of the twin.
        perturbed: the episode.
        elsewhere: whether the board lies elsewhere in ``clean`` too, and every stone with it: a layout has
            the same stones wherever the board lies, which a test holds.

    Returns:
        ``goal``, ``instruction`` and ``arm``: whether they are the same; ``stones``: pool indices by whether
        they lie in the same place (seen from above), elsewhere, only here, or only there.
    """
    here = dict(zip(perturbed.state.stone_ids.tolist(), perturbed.state.stone_poses, strict=True))
    there = dict(zip(clean.state.stone_ids.tolist(), clean.state.stone_poses, strict=True))
    both = sorted(here.keys() & there.keys())
    same = [] if elsewhere else [k for k in both if (here[k][:2] == there[k][:2]).all()]
    return {
        "goal": perturbed.goal == clean.goal,
        "instruction": perturbed.instruction == clean.instruction,
        "arm": bool((perturbed.state.joint_positions == clean.state.joint_positions).all()),
        "stones": {
            "same": same,
            "moved": sorted(set(both) - set(same)),
            "added": sorted(here.keys() - there.keys()),
            "removed": sorted(there.keys() - here.keys()),
        },
    }


def _purpose(knob: Perturbation, draw: Mapping[str, Any]) -> str:
    """Of the stream that a knob draws from, in the visual draw that ``draw`` says."""
    other = f":draw{draw[VISUAL_DRAW]}" if VISUAL_DRAW in draw else ""
    return f"perturbation:{knob.name}{other}"


def _knob(name: str) -> tuple[Perturbation, str | None]:
    knob, camera = split_name(name)
    return KNOBS[knob], camera


def _draws(episode: Episode) -> list[tuple[Perturbation, dict[str, Any]]]:
    return [(_knob(name)[0], draw) for name, draw in episode.perturbation.items() if name != TWIN]
