"""Runs side by side: policies, policies without eyes or ears, and what training on perturbations brings."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from bomb.report.compared import Comparison, RunComparison, TrainingGrid
from bomb.report.groups import CLEAN, PERTURBED
from bomb.report.loading import LoadedRun, where
from bomb.report.makings import not_alike
from bomb.report.pairing import compare, pair, settle
from bomb.statistics import Estimate, mean, rate, undefined


def comparisons(runs: Sequence[LoadedRun], margin: float | None) -> tuple[RunComparison, ...]:
    """Every two runs with a condition in common, each two one family of tests; baselines come first."""
    found = []
    for a, b in combinations(runs, 2):
        for first, second in ((a, b), (b, a)):
            if first.wrapped is not None and first.wrapped[1] == second.policy.strip():
                kind = first.wrapped[0]
                break
            if first.ceiling is not None and second.ceiling is None and second.wrapped is None:
                kind = first.ceiling
                break
        else:
            kind, first, second = "policies", a, b
        rows = settle(_rows(first, second), margin)
        if rows:
            found.append(
                RunComparison(
                    kind=kind,
                    first=first.name,
                    second=second.name,
                    rows=rows,
                    differs=not_alike(first, second),
                )
            )
    return tuple(sorted(found, key=lambda comparison: comparison.kind == "policies"))


def _rows(first: LoadedRun, second: LoadedRun) -> list[Comparison]:
    rows = []
    for condition in first.conditions:
        task, backend, split, perturbation = where(condition)
        other = second.find(task=task, backend=backend, split=split, perturbation=perturbation)
        if other is None:
            continue
        pairs = pair(first.episodes[condition.key], second.episodes[other.key], cluster=(task, split))
        pairs = replace(pairs, differs=not_alike(first, second))
        if pairs.first:
            rows.append(
                compare(
                    pairs,
                    first=first.name,
                    second=second.name,
                    task=task,
                    backend=backend,
                    split=split,
                    perturbation=perturbation,
                )
            )
    return rows


def training_grids(runs: Sequence[LoadedRun]) -> tuple[TrainingGrid, ...]:
    """One 2 x 2 for each perturbed condition that a policy of either kind of training was tested on."""
    grids = []
    whole = [run for run in runs if run.wrapped is None]  # a blind policy was not trained blind
    for clean in (run for run in whole if run.trained == CLEAN):
        for perturbed in (run for run in whole if run.trained == PERTURBED):
            for condition in clean.conditions:
                grid = _grid(clean, perturbed, *where(condition))
                if grid is not None:
                    grids.append(grid)
    return tuple(grids)


def _grid(
    clean: LoadedRun, perturbed: LoadedRun, task: str, backend: str, split: str, perturbation: str
) -> TrainingGrid | None:
    if perturbation == CLEAN:
        return None
    cells = {}
    for trained, run in ((CLEAN, clean), (PERTURBED, perturbed)):
        for tested, label in ((CLEAN, CLEAN), (PERTURBED, perturbation)):
            condition = run.find(task=task, backend=backend, split=split, perturbation=label)
            if condition is None:
                return None
            cells[f"{trained}/{tested}"] = run.episodes[condition.key]
    common = sorted(set.intersection(*(set(rows) for rows in cells.values())))
    seeds = [
        s for s in common if all(rows[s].goal == cells["clean/clean"][s].goal for rows in cells.values())
    ]
    if not seeds:
        return None
    outcomes = {name: np.array([rows[s].success for s in seeds]) for name, rows in cells.items()}
    gaps = {
        trained: outcomes[f"{trained}/{PERTURBED}"].astype(float) - outcomes[f"{trained}/{CLEAN}"]
        for trained in (CLEAN, PERTURBED)
    }
    return TrainingGrid(
        trained_clean=clean.name,
        trained_perturbed=perturbed.name,
        task=task,
        backend=backend,
        split=split,
        perturbation=perturbation,
        seeds=len(seeds),
        cells={name: rate(values) for name, values in outcomes.items()},
        interaction=_interaction(gaps[PERTURBED] - gaps[CLEAN]),
        differs=not_alike(clean, perturbed),
    )


def _interaction(values: np.ndarray) -> Estimate:
    """A mean over seeds of values from -2 to 2, with a bootstrap over seeds."""
    return mean(values) if len(values) else undefined("no seeds in common")
