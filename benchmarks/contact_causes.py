"""What one setting does to a situation of hard contact: how the causes in docs/parity.md were found.

    python -m benchmarks.contact_causes --situation throw --episodes 40 \
        --setting mujoco.finger_solref=0.004,2 --setting physics.timestep=0.001

Every setting is tried alone, beside none: how far apart the engines end, how much farther things go in the
second, and how much farther in each than without the setting (medians, the same episodes). Names are
``mujoco.NAME`` and ``robotwin.NAME``, constants of the backend's ``options.py``, and ``physics.NAME`` and
``robot.NAME``, fields of ``PhysicsSpec`` and ``RobotSpec``, which both engines get. On the split
``calibration``, in this process.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from backends.mujoco.compile import compiled
from benchmarks.grasp_envelope import change, current
from benchmarks.grasp_envelope import parse as parse_constant
from benchmarks.timing import write
from bomb.machine.progress import progress
from bomb.parity.contact.courses import Course, Start, new_world, played, scene
from bomb.parity.contact.situations import SITUATIONS, Situation
from bomb.parity.study import StudyPlan
from bomb.statistics import Estimate, quantile
from core.errors import OptionError, check_choice
from core.seeding import stream
from core.world.scene import SceneSpec

SPLIT = "calibration"
BACKENDS = StudyPlan().backends
PARTS = ("physics", "robot")  # of a scene


def starts(situation: Situation, episodes: int) -> list[Start]:
    """The first episodes of a situation."""
    purpose = f"contact {situation.name}"
    return [situation.make(stream(SPLIT, seed, purpose), np.zeros(3)) for seed in range(episodes)]


def parse(setting: str) -> tuple[str, object]:
    """``NAME=VALUE`` with the value as the setting has it.

    Raises:
        OptionError: if there is no such setting, or the value is not one.
    """
    part, _, rest = setting.partition(".")
    if part not in PARTS:
        return parse_constant(setting)
    name, _, words = rest.partition("=")
    if not hasattr(getattr(scene(), part), name):
        raise OptionError(f"no setting {part}.{name}")
    try:
        return f"{part}.{name}", float(words)
    except ValueError as error:
        raise OptionError(f"{setting!r} must be NAME=NUMBER: {error}") from error


@contextmanager
def applied(name: str | None, value: object) -> Iterator[tuple[SceneSpec, tuple[str, ...]]]:
    """The scene, and the engines that the setting concerns, while it is in force."""
    stage = scene()
    part, _, key = (name or "").partition(".")
    if name is None:
        yield stage, BACKENDS
    elif part in PARTS:
        changed = {key: value}
        yield replace(stage, **{part: replace(getattr(stage, part), **changed)}), BACKENDS
    else:
        before = current(name)
        change(name, value)
        compiled.cache_clear()
        try:
            yield stage, (part,)
        finally:
            change(name, before)
            compiled.cache_clear()


def courses(stage: SceneSpec, backend: str, begun: list[Start], words: str) -> list[Course]:
    """What becomes of every start in an engine as it is set now."""
    world = new_world(backend, stage)
    try:
        with progress(total=len(begun), unit="course", desc=f"{backend}, {words}") as bar:
            found = []
            for start in begun:
                found.append(played(world, stage, start))
                bar.update()
            return found
    finally:
        world.close()


def main() -> int:
    """Plays the situation with no setting and with each, and prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--situation", required=True)
    parser.add_argument("--episodes", type=int, default=40)
    parser.add_argument("--setting", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--json", help="file for the results; - prints them")
    args = parser.parse_args()
    by_name = {situation.name: situation for situation in SITUATIONS}
    situation = by_name[check_choice("situation", args.situation, by_name)]
    begun, scale = starts(situation, args.episodes), situation.scale
    plain: dict[str, list[Course]] = {}
    report = []
    for words in ("nothing changed", *args.setting):
        name, value = (None, None) if not plain else parse(words)
        with applied(name, value) as (stage, concerned):
            found = plain | {backend: courses(stage, backend, begun, words) for backend in concerned}
        plain = plain or found
        went = {backend: np.array([scale.went(one) for one in found[backend]]) for backend in BACKENDS}
        plainly = {backend: np.array([scale.went(one) for one in plain[backend]]) for backend in BACKENDS}
        apart = [1e3 * scale.apart(*pair) for pair in zip(*(found[b] for b in BACKENDS), strict=True)]
        row = {
            "setting": words,
            "apart_mm": quantile(apart, 0.5),
            "bias_mm": quantile((1e3 * (went[BACKENDS[1]] - went[BACKENDS[0]])).tolist(), 0.5),
            **{
                f"{backend}_farther_mm": quantile((1e3 * (went[backend] - plainly[backend])).tolist(), 0.5)
                for backend in BACKENDS
            },
        }
        report.append(
            {key: part.to_dict() if isinstance(part, Estimate) else part for key, part in row.items()}
        )
        print(line(row), flush=True)
    write({"situation": situation.name, "episodes": args.episodes, "rows": report}, args.json)
    return 0


def line(row: dict) -> str:
    """One row of the table in Markdown."""
    cells = []
    for part in row.values():
        if isinstance(part, Estimate):
            low, high = ("-" if end is None else f"{end:.2f}" for end in (part.low, part.high))
            cells.append(f"{part.value:.2f} ({low} to {high})")
        else:
            cells.append(str(part))
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
