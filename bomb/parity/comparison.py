"""How far two simulators agree: every row of the table, measured."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bomb.machine.progress import progress
from bomb.parity.pictures import PictureStudy
from bomb.parity.studies import STUDIES
from bomb.parity.study import Study, StudyPlan, measure
from bomb.parity.table import Row
from core.errors import RenderError, check_choice
from core.perturbations import KNOBS
from core.perturbations.presets import DEFAULT_SEVERITY, make_suite


@dataclass(frozen=True, kw_only=True)
class ParityComparison:
    """What was found.

    Attributes:
        rows: of the table, in its order; of what was finished, where it was interrupted.
        interrupted: whether Ctrl-C ended it.
    """

    rows: tuple[Row, ...]
    interrupted: bool


def compare(
    plan: StudyPlan,
    *,
    rows: Sequence[str] | None = None,
    workers: int = 2,
    say: Callable[[str], None] | None = None,
) -> ParityComparison:
    """Measures the rows of the table, with a bar per study on standard error.

    Args:
        plan: how much is measured, and on what.
        rows: keys of those to measure; None: all. Under a perturbation the pictures are what is compared.
        workers: processes; 0 plays in this one.
        say: told what could not be measured; None prints it to standard error.

    Raises:
        UnknownNameError: for a row that the table does not have.
    """
    studies = STUDIES if plan.perturbations is None else (PictureStudy(),)
    valid = [key for study in studies for key in study.keys]
    keys = valid if rows is None else [check_choice("row", key, valid) for key in rows]
    measured, interrupted = _measure(
        [study for study in studies if set(study.keys) & set(keys)], plan, workers, say or _to_stderr
    )
    found = [row for study, results in measured for row in study.rows(plan, results) if row.key in keys]
    return ParityComparison(rows=tuple(found), interrupted=interrupted)


def with_level(name: str | None) -> str | None:
    """A perturbation as a plan has it, ``knob:level``: severity 3, or the first set, where no level is given.

    Raises:
        UnknownNameError, OptionError: for one that is none.
    """
    if name in KNOBS:
        name = f"{name}:{next(iter(KNOBS[name].sets), DEFAULT_SEVERITY)}"
    make_suite(name)  # a wrong one is an error before anything is played
    return name


def _measure(
    studies: Sequence[Study], plan: StudyPlan, workers: int, say: Callable[[str], None]
) -> tuple[list[tuple[Study, list]], bool]:
    """Pairs of (study, its finished results in the order of their seeds), and whether Ctrl-C came."""
    collected: list[tuple[Study, dict, list]] = []
    interrupted = False
    for study in studies:
        jobs, results = study.jobs(plan), {}
        collected.append((study, results, jobs))
        with progress(total=len(jobs), unit="job", desc=study.name) as bar:
            try:
                measure(study, plan, results, workers=workers, report=bar.update)
            except RenderError as error:
                # Without a driver everything but pictures can be measured; their rows stay undecided.
                say(f"{study.name}: {error}")
            except KeyboardInterrupt:
                interrupted = True
                break
    return [
        (study, [results[job] for job in jobs if job in results]) for study, results, jobs in collected
    ], interrupted


def _to_stderr(words: str) -> None:
    print(words, file=sys.stderr)
