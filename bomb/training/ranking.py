"""What each rule of selection is worth: how it ranks checkpoints against how they play.

Checkpoints are taken as they are, scenes are the sample: intervals come from resampling scenes, the same for
all checkpoints and engines.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bomb.disk.files import write_json
from bomb.statistics import formats
from bomb.statistics.estimate import CONFIDENCE, Estimate, undefined
from bomb.statistics.ranks import kendall, spearman
from bomb.training.playing import play_checkpoints
from bomb.training.selection import measurements
from core.errors import OptionError

FILE = "ranking.json"
LEAST = 3  # checkpoints, of which an order says anything
RESAMPLES = 2000


def rank(out: Path, *, scenes: int, backends: Sequence[str], workers: int | None = None) -> dict[str, Any]:
    """Plays every checkpoint of a training and compares the rules; writes ``OUT/ranking.json``.

    Args:
        out: folder of the training.
        scenes: of the split ``validation``, in each engine.
        backends: registered names.
        workers: processes that play.

    Returns:
        ``checkpoints`` ({step: rate}), ``n`` (scenes of each), and ``rules``: by rule ``chosen`` (step),
        ``spearman``, ``kendall`` (of minus the error with the rate of success) and ``regret`` (the best
        rate minus that of the chosen checkpoint), each with its interval.

    Raises:
        OptionError: if fewer than two checkpoints were measured.
    """
    out = Path(out)
    measured = measurements(out)
    played = {
        step: outcomes
        for step, outcomes in play_checkpoints(out, scenes, backends=backends, workers=workers).items()
        if step in measured
    }
    if len(played) < 2:
        raise OptionError(f"{out} has {len(played)} checkpoints that were measured; an order takes two")
    steps = sorted(played)
    keys = sorted(played[steps[0]])
    outcomes = np.array([[played[step][key] for key in keys] for step in steps], dtype=np.float64)
    rules = {
        name: compared(values, outcomes, [seed for _, seed in keys], steps)
        for name, values in values_by_rule([measured[step] for step in steps]).items()
    }
    rates = outcomes.mean(1)
    result = {
        "checkpoints": {str(step): float(rate) for step, rate in zip(steps, rates, strict=True)},
        "n": len(keys),
        "split": "validation",
        "backends": list(backends),
        "rules": rules,
    }
    write_json(out / FILE, result)
    return result


def values_by_rule(rows: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """What each rule says of each checkpoint, float64[P]; smaller is better."""
    rules = {name: [row[name] for row in rows] for name in ("loss", "mse", "l1")}
    rules |= {f"group:{name}": [row["groups"][name]["mse"] for row in rows] for name in rows[0]["groups"]}
    for name in rows[0].get("errors", {}):
        values = [row["errors"][name] for row in rows]
        if None not in values:
            rules[f"error:{name}"] = values
    rules["last"] = [-row["step"] for row in rows]
    return {name: np.array(values, dtype=np.float64) for name, values in rules.items()}


def compared(
    values: np.ndarray, outcomes: np.ndarray, clusters: Sequence[int], steps: Sequence[int], seed: int = 0
) -> dict[str, Any]:
    """One rule against outcomes.

    Args:
        values: float64[P], what it says of each checkpoint; smaller is better.
        outcomes: float64[P, S], 0 or 1.
        clusters: S labels; columns of one label, a scene in several engines, are drawn together.
        steps: of the checkpoints, ascending; of equally good ones the latest is chosen.
        seed: of resampling.
    """
    rates = outcomes.mean(1)
    chosen = max(k for k in range(len(values)) if values[k] == values.min())
    names = sorted(set(clusters))
    codes = np.array([names.index(label) for label in clusters])
    drawn = np.random.default_rng(seed).multinomial(
        len(names), np.full(len(names), 1 / len(names)), size=RESAMPLES
    )
    weights = drawn[:, codes].astype(np.float64)
    resampled = weights @ outcomes.T / weights.sum(1, keepdims=True)
    regrets = resampled.max(1) - resampled[:, chosen]
    scenes, low = len(names), (1 - CONFIDENCE) / 2
    regret = float(rates.max() - rates[chosen])
    ends = np.quantile(regrets, [low, 1 - low])
    found = {
        "chosen": int(steps[chosen]),
        "regret": Estimate(
            value=regret, low=min(regret, float(ends[0])), high=max(regret, float(ends[1])), n=scenes
        ).to_dict(),
    }
    for name, statistic in (("spearman", spearman), ("kendall", kendall)):
        found[name] = _correlation(statistic, -values, rates, resampled, scenes).to_dict()
    return found


def _correlation(
    statistic: Callable[[np.ndarray, np.ndarray], np.ndarray],
    values: np.ndarray,
    rates: np.ndarray,
    resampled: np.ndarray,
    scenes: int,
) -> Estimate:
    if len(values) < LEAST:
        return undefined(f"takes {LEAST} checkpoints, there are {len(values)}", scenes)
    value = float(statistic(values, rates))
    if np.isnan(value):
        return undefined("every checkpoint succeeds equally often, or the rule says the same of all", scenes)
    draws = np.asarray(statistic(np.broadcast_to(values, resampled.shape), resampled))
    draws = draws[~np.isnan(draws)]
    low, high = np.quantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(value=value, low=min(value, float(low)), high=max(value, float(high)), n=scenes)


def words_of(ranked: Mapping[str, Any]) -> str:
    """The result as a table."""
    lines = [f"{len(ranked['checkpoints'])} checkpoints, {ranked['n']} episodes each, split validation"]
    lines += [
        f"  step {step:>8}  success {formats.share(rate, 1):>6}"
        for step, rate in ranked["checkpoints"].items()
    ]
    lines.append(f"{'rule':14}{'chosen':>10}  {'spearman':24}{'kendall':24}regret")
    for name, entry in ranked["rules"].items():
        cells = [_cell(entry[key]) for key in ("spearman", "kendall", "regret")]
        lines.append(f"{name:14}{entry['chosen']:>10}  {cells[0]:24}{cells[1]:24}{cells[2]}")
    return "\n".join(lines)


def _cell(estimate: Mapping[str, Any]) -> str:
    if estimate["value"] is None:
        return "undefined"
    two = partial(formats.fixed, digits=2)
    return f"{two(estimate['value'])} {formats.interval(estimate['interval'], two)}"
