"""The grasp envelopes of both simulators, side by side, with the settings that make them agree.

Run again with one setting changed to see what it is good for; the name is that of a constant in the
backend's ``options.py``:

    python -m benchmarks.grasp_envelope --grasps 400 --picture envelope.png
    python -m benchmarks.grasp_envelope --setting mujoco.finger_solimp=0.95,0.99,0.001,0.5,2
    python -m benchmarks.grasp_envelope --setting robotwin.ENABLE_PCM=1 --from-above

Tuned on the split ``calibration``; ``bomb parity`` measures on another one.
"""

import argparse
import sys
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import numpy as np

from benchmarks.timing import write
from bomb.machine.progress import progress
from bomb.parity.envelope import EnvelopeStudy, Grasp, held_from, offset_of
from bomb.parity.study import StudyPlan, measure
from bomb.parity.table import to_json, to_text
from bomb.statistics import iou
from core.errors import OptionError
from core.seeding import stream

# What the calibration settled, and why; the values are read from the backends.
REASONS = {
    "mujoco.finger_solimp": "a stone in the grip sinks 0.04 mm into a pad, not 0.35 mm as with 0.95, 0.99",
    "mujoco.finger_solref": "the shortest time constant that two time steps allow",
    "mujoco.impratio": "friction stiffer than contact; with a softer solimp, stones slide out at 10",
    "mujoco.cone": "the pyramidal cone lets a held stone creep and tilt",
    "mujoco.integrator": "Euler lets a held stone creep and tilt",
    "robotwin.ENABLE_PCM": "persistent manifolds find a pad's edge on a stone up to 20 ms late",
    "robotwin.POSITION_ITERATIONS": "with 4 stones are lost, 25 hold no others",
    "robotwin.VELOCITY_ITERATIONS": "16, more than position iterations, let held stones creep",
    "robotwin.CONTACT_OFFSET": "0.01 holds the same stones and is slower",
    "robotwin.COOKING_SCALE": "cooked in metres, a 22 mm hull loses most of its vertices",
}


@dataclass(frozen=True, kw_only=True)
class Again(Grasp):
    """A grasp, and the same one moved by a hair.

    Attributes:
        moved: whether each simulator held the stone then.
    """

    moved: tuple[bool, bool]


@dataclass(kw_only=True)
class TunedEnvelope(EnvelopeStudy):
    """The envelope with engine constants of one's own.

    Attributes:
        settings: ``backend.NAME`` to value.
        astride: how the fingers come down; see ``grasp_and_lift``.
        jitter: standard deviation (m) by which every grasp is moved and played again; 0 plays it once.
    """

    settings: dict[str, object] = field(default_factory=dict)
    astride: bool = True
    jitter: float = 0.0

    def run(self, plan: StudyPlan, seed: int) -> Again:
        for name, value in self.settings.items():
            change(name, value)
        offset = offset_of(plan, seed)
        hair = stream(plan.split, seed, "hair").normal(size=3) * self.jitter
        held = self._held(plan, seed, offset)
        moved = self._held(plan, seed, offset + hair) if self.jitter else held
        return Again(offset=tuple(map(float, offset)), held=held, moved=moved)

    def _held(self, plan: StudyPlan, seed: int, offset: np.ndarray) -> tuple[bool, bool]:
        first, second = (held_from(b, plan.split, seed, offset, astride=self.astride) for b in plan.backends)
        return first, second


def place_of(name: str) -> tuple[object, str]:
    """The object that holds the constant ``backend.NAME``, and the constant's name in it.

    Raises:
        OptionError: if there is none.
    """
    backend, _, constant = name.partition(".")
    module = import_module(f"backends.{backend}.options")
    for place in (module, getattr(module, "OPTIONS", None)):
        if hasattr(place, constant):
            return place, constant
    raise OptionError(f"no setting {name!r}; known are {', '.join(REASONS)} and others of options.py")


def current(name: str) -> object:
    """The present value of ``backend.NAME``."""
    place, constant = place_of(name)
    return getattr(place, constant)


def change(name: str, value: object) -> None:
    """Sets ``backend.NAME`` in this process; worlds that are made afterwards have it."""
    place, constant = place_of(name)
    # MuJoCo's constants are a frozen dataclass: frozen for everybody but this experiment.
    object.__setattr__(place, constant, value)


def parse(setting: str) -> tuple[str, object]:
    """``backend.NAME=VALUE``, the value taken to the type that the constant has.

    Raises:
        OptionError: if the words are not of that form.
    """
    name, equals, words = setting.partition("=")
    old = current(name)
    try:
        if not equals:
            raise ValueError("no '='")
        if isinstance(old, tuple):
            return name, tuple(float(word) for word in words.split(","))
        if isinstance(old, bool):
            return name, bool(int(words))
        return name, int(words) if isinstance(old, int) else float(words)
    except (ValueError, TypeError) as error:
        raise OptionError(f"{setting!r} must be NAME=VALUE with a value like {old!r}: {error}") from error


def self_agreement(plan: StudyPlan, results: list[Again]) -> dict[str, dict]:
    """IoU of each simulator's envelope with its own, moved by a hair."""
    return {
        backend: iou([r.held[k] for r in results], [r.moved[k] for r in results]).to_dict()
        for k, backend in enumerate(plan.backends)
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--grasps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="of the first grasp")
    parser.add_argument("--split", default="calibration")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--setting", action="append", default=[], metavar="BACKEND.NAME=VALUE")
    parser.add_argument("--from-above", action="store_true", help="come down at the offset, onto the stone")
    parser.add_argument(
        "--jitter", type=float, default=0.0, metavar="MM", help="play each grasp again, moved"
    )
    parser.add_argument("--picture", type=Path, help="PNG with both envelopes")
    parser.add_argument("--json", type=Path, help="file for the results")
    args = parser.parse_args()

    settings = dict(parse(setting) for setting in args.setting)
    study = TunedEnvelope(settings=settings, astride=not args.from_above, jitter=args.jitter / 1000)
    plan = StudyPlan(episodes=args.grasps, seed=args.seed, split=args.split)
    finished: dict[int, Again] = {}
    with progress(total=args.grasps, unit="grasp") as bar:
        measure(study, plan, finished, workers=args.workers, report=bar.update)
    results = [finished[seed] for seed in study.jobs(plan)]
    rows = study.rows(plan, results)
    values = {name: settings.get(name, current(name)) for name in {**REASONS, **settings}}
    print(to_text(rows))
    report = {**to_json(rows), "settings": {name: str(value) for name, value in values.items()}}
    if args.jitter:
        report["self_agreement"] = self_agreement(plan, results)
        for backend, own in report["self_agreement"].items():
            low, high = own["interval"]
            print(
                f"  {backend} and itself {args.jitter:g} mm away: {own['value']:.3f}, {low:.3f} to {high:.3f}"
            )
    for name, value in values.items():
        print(f"  {name} = {value}: {'changed' if name in settings else REASONS[name]}")
    if args.picture is not None:
        from benchmarks.envelope_picture import draw
        from bomb.pictures.images import write_png

        lines = [f"{name} = {value}" for name, value in values.items()]
        write_png(args.picture, draw(results, plan.backends, lines))
    write(report, args.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
