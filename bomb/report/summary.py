"""``summarise``: from runs to everything that a report says."""

from collections.abc import Sequence

from bomb.machine.progress import progress
from bomb.report.ceilings import ceilings
from bomb.report.conditions import summarise_condition
from bomb.report.costs import efficiency, errors
from bomb.report.draws import draw_tables
from bomb.report.groups import CLEAN, against_clean, clean_rows, curves, groups, twins_of
from bomb.report.loading import LoadedRun, where
from bomb.report.makings import OTHERWISE, differences, listed
from bomb.report.model import FORMAT, RunSummary, Summary
from bomb.report.policies import comparisons, training_grids
from bomb.report.simulators import agreements
from bomb.statistics import CONFIDENCE, LEVEL
from core.errors import OptionError


def summarise(
    runs: Sequence[LoadedRun], *, margin: float | None = None, twins_across: bool = False
) -> Summary:
    """All numbers of a report.

    Args:
        runs: see ``bomb.report.loading.load_runs``; their order is kept.
        margin: the difference of success rates that would not matter, in (0, 1); only with it is anything
            called equal.
        twins_across: whether clean twins are taken from a run that was made with other versions, renderer or
            tolerances, too. It is said wherever they are used.

    Raises:
        OptionError: without runs, or for a margin that is out of range.
    """
    if margin is not None and not 0 < margin < 1:
        raise OptionError(f"margin must be between 0 and 1, got {margin!r}")
    if not runs:
        raise OptionError("a report takes at least one run")
    summaries = tuple(
        _summarise_run(run, runs, margin, twins_across)
        # Only if it takes long: some runs have hundreds of conditions.
        for run in progress(runs, unit="run", desc="summing up", leave=False)
    )
    return Summary(
        format=FORMAT,
        confidence=CONFIDENCE,
        level=LEVEL,
        margin=margin,
        runs=summaries,
        simulators=agreements(runs, margin),
        comparisons=comparisons(runs, margin),
        ceilings=ceilings(runs, [run.conditions for run in summaries]),
        training=training_grids(runs),
        notes=tuple(_notes(runs, twins_across)),
    )


def _summarise_run(
    run: LoadedRun, runs: Sequence[LoadedRun], margin: float | None, across: bool
) -> RunSummary:
    twins = twins_of(run, runs, across=across)
    versus_clean = against_clean(run, twins, margin)
    rows = [row for rows in run.episodes.values() for row in rows.values()]
    return RunSummary(
        name=run.name,
        path=str(run.path),
        policy=run.policy,
        privileged=run.privileged,
        describe=run.describe,
        baseline=run.wrapped[0] if run.wrapped else None,
        provenance={name: value for name, value in run.settings.items() if name != "policy"},
        started=min((row.started for row in rows if row.started), default=None),
        finished=max((row.finished for row in rows if row.finished), default=None),
        episodes=len(rows),
        errors=errors(run),
        conditions=tuple(
            summarise_condition(run, condition, versus_clean.get(condition.key))
            for condition in run.conditions
        ),
        groups=groups(run, twins),
        curves=curves(run, runs, twins, across=across),
        draws=draw_tables(run),
        efficiency=efficiency(run),
    )


def _notes(runs: Sequence[LoadedRun], across: bool) -> list[str]:
    """What the runs do not allow to be compared."""
    notes = []
    for run in runs:
        done = sum(map(len, run.episodes.values())) + len(run.unplayed)
        asked = run.settings.get("episodes", 0) * len(run.conditions)
        if not any(run.episodes.values()):
            notes.append(f"{run.name} has no completed episode")
        elif done < asked:
            notes.append(f"{run.name} is not finished: {done} of {asked} episodes were played")
        twins = twins_of(run, runs, across=across)
        for place in dict.fromkeys(where(condition)[:3] for condition in run.conditions):
            here = [condition for condition in run.conditions if where(condition)[:3] == place]
            perturbed = [c for c in here if c.perturbation != CLEAN]
            if perturbed and all(twins(c) is None for c in perturbed):
                notes.append(
                    f"{run.name} has no clean condition of {'/'.join(place)}: what is perturbed has no twins"
                )
                refused = clean_rows(run, runs, *place, across=True)
                if refused is not None:
                    notes.append(
                        f"clean episodes of another run of {run.policy} are not used as twins of {run.name}, "
                        f"which was {OTHERWISE}: {'; '.join(refused.differs)}; --twins-across allows it"
                    )
            for words in dict.fromkeys(w for c in perturbed if (pairs := twins(c)) for w in pairs.differs):
                notes.append(f"the clean twins of {run.name} were {OTHERWISE}: {words}")
        if run.wrapped and not any(other.policy.strip() == run.wrapped[1] for other in runs):
            notes.append(f"{run.name} is a baseline of {run.wrapped[1]}, of which no run was given")
    single = [run.name for run in runs if len({condition.backend for condition in run.conditions}) == 1]
    if single:
        notes.append(f"{listed(single)} {'was' if len(single) == 1 else 'were'} played in one simulator only")
    notes += differences(runs)
    trained = {run.trained for run in runs}
    if len(runs) > 1 and not {"clean", "perturbed"} <= trained:
        notes.append(
            "no 2 x 2 of training and testing: it takes a policy that says it was trained on clean data "
            "only, and one that was trained on perturbed data"
        )
    return notes
