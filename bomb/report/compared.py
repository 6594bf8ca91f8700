"""What a report says of two sides of a comparison, as plain data; see ``bomb.report.model``."""

from dataclasses import dataclass
from typing import Any

from bomb.statistics import Estimate


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two outcomes of the same episodes: ``second`` minus ``first``.

    Attributes:
        first, second: what is compared: perturbation labels, backends or names of runs.
        task, backend, split, perturbation: what both share; None for what is compared.
        both, only_first, only_second, neither: counts of pairs by who succeeded.
        pairs: their sum.
        unpaired: episodes of either side that the other does not have.
        other_goal: same seed, but another goal: no twins, and not in ``pairs``.
        shared: of the pairs, how many share ``instruction``, ``arm`` and ``stones`` with their clean twin;
            empty where neither side is perturbed.
        first_rate, second_rate: success rates over the pairs alone.
        difference: second minus first, with Tango's interval.
        p_value: of the exact McNemar test; None where pairs are not independent, because several conditions
            are pooled. p_holm: the same, corrected for the ``tests`` of the family.
        verdict, within_margin, words: see ``bomb.statistics.Claim``.
        differs: what both sides were made with and differ in, in words; see ``bomb.report.makings``.
    """

    first: str
    second: str
    task: str | None
    backend: str | None
    split: str | None
    perturbation: str | None
    both: int
    only_first: int
    only_second: int
    neither: int
    pairs: int
    unpaired: int
    other_goal: int
    shared: dict[str, Any]
    first_rate: Estimate
    second_rate: Estimate
    difference: Estimate
    p_value: float | None
    p_holm: float | None
    tests: int
    verdict: str
    within_margin: bool | None
    words: str
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Two simulators on the same episodes of one condition, or of all (the first three are None)."""

    task: str | None
    split: str | None
    perturbation: str | None
    agreement: Estimate
    kappa: Estimate
    comparison: Comparison


@dataclass(frozen=True, kw_only=True)
class RankPoint:
    """One point of a rank correlation: ``episodes`` pairs, and both simulators' rates over them."""

    label: str
    episodes: int
    first: float
    second: float


@dataclass(frozen=True, kw_only=True)
class RankAgreement:
    """Whether two simulators order the same things alike.

    Attributes:
        over: ``"conditions"`` of one run, or ``"policies"``: runs, on the conditions that all of them have.
        points: what is ordered.
        pearson, spearman, kendall: of the rates.
        mmrv_first, mmrv_second: mean maximum rank violation with the first, the second as the reference.
    """

    over: str
    points: tuple[RankPoint, ...]
    pearson: Estimate
    spearman: Estimate
    kendall: Estimate
    mmrv_first: Estimate
    mmrv_second: Estimate


@dataclass(frozen=True, kw_only=True)
class SimulatorAgreement:
    """How far two simulators agree.

    Attributes:
        run: name of the run; None for policies, which are several runs.
        first, second: the backends.
        seeds: ``"all"``, or ``"expert"``: those that the expert solves in both simulators.
        reason: why there is nothing to tell; else None.
        conditions: agreement in each. pooled: over all of them; None without any.
        ranks: see ``RankAgreement``.
        differs: what the runs that it stands on were made with and differ in.
    """

    run: str | None
    first: str
    second: str
    seeds: str
    reason: str | None
    conditions: tuple[Agreement, ...]
    pooled: Agreement | None
    ranks: RankAgreement | None
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RunComparison:
    """Two runs on the same episodes, condition by condition; one family of tests.

    Attributes:
        kind: ``"blind"``, ``"mute"`` or ``"masked"``: ``first`` is ``second``'s policy without pictures,
            without words, or with something hidden; ``"feeler"`` or ``"push"``: ``first`` is that policy, a
            ceiling; else ``"policies"``.
        first, second: names of the runs.
        rows: second minus first.
        differs: terms of play and makings in which the runs differ, in words.
    """

    kind: str
    first: str
    second: str
    rows: tuple[Comparison, ...]
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TrainingGrid:
    """Trained {clean, perturbed} x tested {clean, perturbed}, on the seeds that all four cells have.

    Attributes:
        trained_clean, trained_perturbed: names of the runs.
        perturbation: label of the perturbed test.
        seeds: how many.
        cells: ``"TRAINED/TESTED"`` to success rate, with each of ``clean`` and ``perturbed``.
        interaction: (perturbed - clean test) of the policy trained on perturbed data minus that of the one
            trained on clean data: how much training on perturbations narrows the gap. A mean over seeds.
        differs: terms of play and makings in which the runs differ, in words.
    """

    trained_clean: str
    trained_perturbed: str
    task: str
    backend: str
    split: str
    perturbation: str
    seeds: int
    cells: dict[str, Estimate]
    interaction: Estimate
    differs: tuple[str, ...] = ()
