"""How far two simulators agree: every row of the table, measured."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bomb.machine.progress import progress
from bomb.parity.contact.study import CONTACT_STUDIES
from bomb.parity.journal import Journal
from bomb.parity.pictures import PictureStudy
from bomb.parity.studies import STUDIES
from bomb.parity.study import Study, StudyPlan, measure
from bomb.parity.table import Row
from core.errors import RenderError, check_choice
from core.perturbations import KNOBS
from core.perturbations.presets import DEFAULT_SEVERITY, make_suite

CONTACT = "contact"  # stands for all rows of hard contact


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
    journal: Path | None = None,
) -> ParityComparison:
    """Measures the rows of the table, with a bar per study on standard error.

    Args:
        plan: how much is measured, and on what.
        rows: keys of those to measure, ``contact`` for all of hard contact; None: all others. Under a
            perturbation the pictures are what is compared.
        workers: processes; 0 plays in this one.
        say: told what could not be measured; None prints it to standard error.
        journal: file that keeps what is finished: after an interruption the same call resumes there. It is
            removed at the end. None: nothing is kept.

    Raises:
        UnknownNameError: for a row that the table does not have.
    """
    studies: Sequence[Study[Any]]
    studies = (*STUDIES, *CONTACT_STUDIES) if plan.perturbations is None else (PictureStudy(),)
    keys = rows_chosen(studies, rows)
    chosen = [study for study in studies if set(study.keys) & set(keys)]
    measured, interrupted = _measure(chosen, plan, workers, say or _to_stderr, Journal(journal, plan))
    if journal is not None and not interrupted:
        journal.unlink()
    found = [row for study, results in measured for row in study.rows(plan, results) if row.key in keys]
    return ParityComparison(rows=tuple(found), interrupted=interrupted)


def contact_alone(rows: Sequence[str] | None) -> bool:
    """Whether all of these rows are of hard contact."""
    keys = {CONTACT, *(key for study in CONTACT_STUDIES for key in (study.name, *study.keys))}
    return bool(rows) and set(rows or ()) <= keys


def rows_chosen(studies: Sequence[Study[Any]], rows: Sequence[str] | None) -> list[str]:
    """The rows to measure.

    Raises:
        UnknownNameError: for one that there is not.
    """
    contact = [key for study in studies if study in CONTACT_STUDIES for key in study.keys]
    others = [key for study in studies if study not in CONTACT_STUDIES for key in study.keys]
    if rows is None:
        return others
    valid = [*others, *([CONTACT] if contact else []), *contact]
    of_situation = {study.name: study.keys for study in studies if study in CONTACT_STUDIES}
    keys = {
        check_choice("row", key, (*valid, *of_situation))
        for name in rows
        for key in of_situation.get(name, (name,))
    }
    return [key for key in (*others, *contact) if key in keys or (CONTACT in keys and key in contact)]


def with_level(name: str | None) -> str | None:
    """A perturbation as a plan has it, ``knob:level``: severity 3, or the first set, where no level is given.

    Raises:
        UnknownNameError, OptionError: for one that is none.
    """
    if name is not None and name in KNOBS:
        name = f"{name}:{next(iter(KNOBS[name].sets), DEFAULT_SEVERITY)}"
    make_suite(name)  # a wrong one is an error before anything is played
    return name


def _measure(
    studies: Sequence[Study[Any]], plan: StudyPlan, workers: int, say: Callable[[str], None], journal: Journal
) -> tuple[list[tuple[Study[Any], list[Any]]], bool]:
    """Pairs of (study, its finished results in the order of their seeds), and whether Ctrl-C came."""
    collected: list[tuple[Study[Any], dict[int, Any], list[int]]] = []
    interrupted = False
    for study in studies:
        jobs, results = study.jobs(plan), journal.finished(study.name)
        collected.append((study, results, jobs))
        before, keep = len(results.keys() & set(jobs)), journal.keeper(study.name)
        with progress(total=len(jobs), initial=before, unit="job", desc=study.name) as bar:
            try:
                measure(study, plan, results, workers=workers, report=bar.update, keep=keep)
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
