"""Episodes are played and their moments explained, one file an episode; what is there already is kept.

::

    DIR/explanation.json                 settings, versions, how scores and masks are made
    DIR/episodes/NAME.json               one episode: its moments with all that was measured
    DIR/episodes/NAME/STAGE_WHAT.png     what was seen, the regions, the scenes without a thing
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bomb.disk.files import FileError, read_json, write_json, writing
from bomb.disk.lock import WriterLock
from bomb.evaluation.perturbed import Perturbed, read_perturbations
from bomb.explanation.asking import Asker, PolicyAsker, Question
from bomb.explanation.looking import Look, Looking, look_at
from bomb.explanation.moment import Moment, cost, explain_moment
from bomb.explanation.moments import Course, course_of
from bomb.explanation.occluders import OCCLUDERS
from bomb.explanation.scenes import SceneEditor
from bomb.explanation.settings import ExplanationSettings
from bomb.machine.versions import versions
from bomb.pictures.images import write_png
from bomb.policies.expert import Expert
from bomb.policies.making import make_policy
from core.errors import OptionError, missing_extra
from core.policy import Policy
from core.rendering.sight import Sight, described
from core.seeding import policy_seed
from core.settings import EnvironmentSettings

if TYPE_CHECKING:
    from bomb.explanation.inside.asking import ModelAsker
    from bomb.explanation.inside.restoring import Restoring

FORMAT, VERSION = "bomb-explanation", 1
SETTINGS_FILE = "explanation.json"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One that is explained."""

    backend: str
    perturbed: Perturbed
    seed: int

    @property
    def name(self) -> str:
        """Of its file and folder."""
        label = "".join(c if c.isalnum() or c in "-+." else "_" for c in self.perturbed.label)
        return f"{self.backend}_{label}_{self.seed:06d}"


def explain(
    settings: ExplanationSettings,
    out: Path,
    *,
    begin: Callable[[int, int, int], None] | None = None,
    report: Callable[[str], None] | None = None,
) -> list[dict[str, Any]]:
    """Explains the episodes that are not in ``out`` yet.

    Args:
        settings: what is explained.
        out: a folder of an explanation of these settings, or a new one.
        begin: called once as ``begin(episodes, episodes that are there already, questions of a moment)``.
        report: called with the name of each episode that is done.

    Returns:
        All episodes, as in their files.

    Raises:
        OptionError: for a policy that is told the truth.
        FileError: if ``out`` is something else, or of other settings.
    """
    every = [
        Asked(backend=backend, perturbed=perturbed, seed=seed)
        for backend in settings.backends
        for perturbed in read_perturbations(settings.perturbations)
        for seed in settings.seeds
    ]
    policy = make_policy(settings.policy)
    with ExitStack() as stack:
        stack.callback(policy.close)
        if policy.privileged:
            raise OptionError(f"policy {settings.policy!r} is told the truth: no picture or word explains it")
        with writing(out):
            (out / "episodes").mkdir(parents=True, exist_ok=True)
            lock = WriterLock(out / ".lock")
        stack.callback(lock.release)
        _check_folder(out, settings)
        there = [one for one in every if _explained(out / "episodes" / f"{one.name}.json")]
        left = [one for one in every if one not in there]
        run = _Run(settings, policy, out)
        stack.callback(run.close)
        if begin is not None:
            begin(len(every), len(there), run.cost)
        write_json(out / SETTINGS_FILE, {**_header(settings), **run.about()})
        for one in left:
            run.explain(one)
            if report is not None:
                report(one.name)
    return [read_json(out / "episodes" / f"{one.name}.json") for one in every]


def _explained(file: Path) -> bool:
    """Whether an episode is there and whole.

    Raises:
        FileError: if the file is something else; it is somebody's, so it is not overwritten.
    """
    if not file.exists():
        return False
    found = read_json(file)
    if found.get("name") != file.stem or not isinstance(found.get("moments"), list):
        raise FileError(f"{file} is not an explained episode; remove it to explain that episode again")
    return True


def read_explanation(out: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The header and the episodes of a folder.

    Raises:
        FileError: if there is none, or a file is damaged.
    """
    header = read_json(out / SETTINGS_FILE)
    if header.get("format") != FORMAT:
        raise FileError(f"{out} holds no explanation")
    return header, [read_json(file) for file in sorted((out / "episodes").glob("*.json"))]


class _Run:
    def __init__(self, settings: ExplanationSettings, policy: Policy, out: Path):
        self._settings, self._policy, self._out = settings, policy, out
        self._sight = Sight.of(policy).seen(privileged=False)
        self._description = described(policy)
        self._editor: SceneEditor | None = None
        self._world: tuple[str, str] | None = None
        self._inside: Restoring | None = None
        self._vla = getattr(policy, "vla", None)
        if self._vla is not None:
            self._inside = _restoring(settings.exact)
        self._asker: ModelAsker | None = None

    def close(self) -> None:
        if self._editor is not None:
            self._editor.close()

    @property
    def cost(self) -> int:
        """Questions of a moment."""
        asker = self.asker(None)
        inside = 0
        if self._inside is not None and self._asker is not None:
            inside = self._inside.passes(self._asker)
        return cost(asker, self._settings, inside)

    def about(self) -> dict[str, Any]:
        asker = self.asker(None)
        return {
            "policy_describes": self._description,
            "score": asker.score_words,
            "words_hidden_by": asker.hiding_words,
            "occluder_words": OCCLUDERS[self._settings.occluder],
        }

    def asker(self, editor: SceneEditor | None) -> Asker:
        """Of the policy; of one that wants a goal picture it is of the episode that has begun."""
        if self._vla is not None:
            if self._asker is None:
                from bomb.explanation.inside.asking import ModelAsker

                self._asker = ModelAsker(self._vla)
            return self._asker
        settings = self._environment(self._settings.backends[0], None)
        spec = settings.action_spec if editor is None else editor.env.action_spec
        picture = None
        if self._policy.wants_goal_picture and editor is not None:
            picture = editor.env.goal_picture()
        return PolicyAsker(self._policy, spec, picture)

    def explain(self, one: Asked) -> None:
        editor = self._world_of(one)
        course, looks = self._play(editor, one)
        editor.begin(one.seed)
        asker = self.asker(editor)
        before = asker.forwards
        folder = self._out / "episodes" / one.name
        moments = []
        for k, moment in enumerate(self._moments(editor, course, looks)):
            found, pictures = explain_moment(
                asker, moment, editor, self._settings, sensitivity=k == 0, inside=self._inside
            )
            for name, picture in pictures.items():
                write_png(folder / f"{moment.stage.replace(' ', '_')}_{name}.png", _as_rgb(picture))
            moments.append(found)
        episode = editor.env.episode
        write_json(
            self._out / "episodes" / f"{one.name}.json",
            {
                "name": one.name,
                "backend": one.backend,
                "perturbation": one.perturbed.label,
                "seed": one.seed,
                "words": episode.instruction.text,
                "goal": episode.goal.to_dict(),
                "success": course.success if self._settings.path == "own" else None,
                "reason": course.reason if self._settings.path == "own" else None,
                "forwards": asker.forwards - before,
                "moments": moments,
            },
        )

    def _play(self, editor: SceneEditor, one: Asked) -> tuple[Course, list[Look]]:
        shown = self._sight.modalities or ()
        hidden = () if "segmentation" in shown else ("segmentation",)
        if self._settings.path == "own":
            looking = Looking(self._policy, hidden)
            course = course_of(editor.env, looking, one.seed, self._settings.chunks)
            return course, looking.looks
        course = course_of(editor.env, Expert(), one.seed, "full")
        return course, []

    def _moments(self, editor: SceneEditor, course: Course, looks: list[Look]) -> Iterator[Moment]:
        seed = policy_seed(editor.env.episode.split, editor.env.episode.seed)
        taken: set[int] = set()
        for stage in self._settings.stages:
            if stage not in course.stages:
                continue
            step, memory, remembered = course.stages[stage], None, None
            if looks:
                look = look_at(looks, stage, step)
                if look is None or look.step in taken or look.step >= len(course.states):
                    continue
                step, memory, remembered = look.step, look.memory, look.remembered
            taken.add(step)
            seen = editor.observe(course.states[step], step)
            yield Moment(
                stage=stage,
                seen=seen,
                question=Question(
                    observation=self._shown(seen),
                    seed=seed,
                    step=step,
                    history=self._history(editor, course, step),
                    memory=memory,
                    remembered=remembered,
                ),
                state=course.states[step],
                stone=course.stone,
            )

    def _shown(self, seen: dict[str, Any]) -> dict[str, Any]:
        """What the policy is shown of an observation."""
        wants = "segmentation" in (self._sight.modalities or ())
        return {key: value for key, value in seen.items() if wants or key != "segmentation"}

    def _history(self, editor: SceneEditor, course: Course, step: int) -> tuple[dict[str, Any], ...]:
        """Of models that look at several moments: those right before, as they learned them."""
        first = max(step - self.asker(editor).history + 1, 0)
        return tuple(self._shown(editor.observe(course.states[k], k)) for k in range(first, step))

    def _world_of(self, one: Asked) -> SceneEditor:
        world = (one.backend, one.perturbed.label)
        if self._editor is None or self._world != world:
            if self._editor is not None:
                self._editor.close()
            self._editor = SceneEditor(self._environment(one.backend, one.perturbed.option))
            self._world = world
        return self._editor

    def _environment(self, backend: str, perturbations: object) -> EnvironmentSettings:
        sight, said = self._sight, self._description
        return EnvironmentSettings(
            self._settings.task,
            backend=backend,
            perturbations=perturbations,
            split=self._settings.split,
            cameras=sight.cameras or ("head",),
            image_size=sight.image_size or (256, 256),
            modalities=tuple(dict.fromkeys((*(sight.modalities or ("rgb",)), "segmentation"))),
            action_mode=said.get("action_mode") or "delta",
            control_hz=said.get("control_hz") or 20,
        )


def _as_rgb(picture: np.ndarray) -> np.ndarray:
    """Regions in colours of the page, pictures as they are."""
    from bomb.explanation.drawing import REGION_COLORS

    return picture if picture.ndim == 3 else REGION_COLORS[picture]


def _header(settings: ExplanationSettings) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "settings": settings.to_dict(),
        "versions": versions(),
    }


def _check_folder(out: Path, settings: ExplanationSettings) -> None:
    file = out / SETTINGS_FILE
    if not file.is_file():
        if any((out / "episodes").iterdir()):
            raise FileError(f"{out} has episodes without {SETTINGS_FILE}; choose another folder")
        return
    before = read_json(file)
    if before.get("format") != FORMAT:
        raise FileError(f"{out} holds something else than an explanation")
    old, new = before["settings"], settings.to_dict()
    grown = ("seeds", "backends", "perturbations")
    differ = [name for name in new if name not in grown and old.get(name) != new[name]]
    if differ:
        name = differ[0]
        raise FileError(
            f"{out} explains with {name} {old.get(name)!r}, asked is {new[name]!r}; choose another folder"
        )


def _restoring(exact: int | None) -> "Restoring":
    """What looks inside of a model.

    Raises:
        BombError: without the extra that brings torch.
    """
    try:
        from bomb.explanation.inside.restoring import Restoring
    except ImportError as error:
        raise missing_extra("looking inside of a model", "vla") from error
    return Restoring(exact)
