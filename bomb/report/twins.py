"""Clean success and perturbed failure of the same seed, side by side, as they happened.

The recorded actions are played again in the same simulator, which gives the same states to the last bit, and
filmed. The target is ringed in the film only: the policy never saw the ring.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from bomb.pictures.filming import Film, film
from bomb.pictures.images import captioned, grid
from bomb.pictures.views import ringed
from bomb.report.loading import LoadedRun
from bomb.runs.replaying import again, recorded_settings
from bomb.runs.rows import Condition, EpisodeRow
from core.episode.record import EpisodeRecord
from core.settings import EnvironmentSettings

EVERY = 2  # steps between frames: a film of 10 frames a second at 20 Hz says as much as one of 20
CAMERA = "head"
SIZE = (288, 384)  # of each film, in pixels


@dataclass(frozen=True, kw_only=True, eq=False)
class Twins:
    """A pair of episodes of one run: the same task, simulator, split and seed, with and without perturbation.

    Attributes:
        clean, perturbed: condition and episode of each.
        share: of the pairs of that perturbed condition, how many went the same way (clean success, perturbed
            failure).
    """

    clean: tuple[Condition, EpisodeRow]
    perturbed: tuple[Condition, EpisodeRow]
    share: float


def choose(conditions: Iterable[Condition], episodes: Iterable[EpisodeRow], most: int) -> list[Twins]:
    """The most telling pairs: failures under a perturbation whose clean twin succeeded.

    One of each category and simulator before a second of any, those conditions first that broke most; of a
    condition the failure with its most frequent reason, lowest seed.
    """
    by_key = {condition.key: condition for condition in conditions}
    rows: dict[str, dict[int, EpisodeRow]] = {key: {} for key in by_key}
    for row in episodes:
        rows[row.condition][row.seed] = row
    clean = {(c.task, c.backend, c.split): (c, rows[c.key]) for c in by_key.values() if c.category == "clean"}
    found: list[Twins] = []
    for condition in by_key.values():
        twin = clean.get((condition.task, condition.backend, condition.split))
        if twin is None or condition.category == "clean":
            continue
        pairs = [(twin[1][seed], row) for seed, row in sorted(rows[condition.key].items()) if seed in twin[1]]
        broken = [(a, b) for a, b in pairs if a.success and not b.success and _same_goal(b)]
        if not broken:
            continue
        usual = Counter(b.reason for _, b in broken).most_common(1)[0][0]
        a, b = next(pair for pair in broken if pair[1].reason == usual)
        share = len(broken) / len(pairs)
        found.append(Twins(clean=(twin[0], a), perturbed=(condition, b), share=share))
    found.sort(key=lambda pair: -pair.share)
    chosen: list[Twins] = []
    while found and len(chosen) < most:
        seen = Counter(key for pair in chosen for key in _kinds(pair))
        best = min(found, key=lambda pair: (sum(seen[key] for key in _kinds(pair)), -pair.share))
        chosen.append(best)
        found.remove(best)
    return chosen


def film_twins(run: LoadedRun, twins: Twins) -> tuple[list[Film], list[str]]:
    """Films both episodes.

    Args:
        run: that has them.
        twins: the pair.

    Returns:
        The two films, clean first, and what did not come out as it was recorded.

    Raises:
        FileError: if the series of an episode was not kept.
        RenderError: if no graphics driver works.
    """
    films, notes = [], []
    for condition, row in (twins.clean, twins.perturbed):
        record = run.record(row)
        made = _film(recorded_settings(run.settings, condition, record, CAMERA), record)
        films.append(made)
        if made.result.record.about["verdict"]["success"] != row.success:
            notes.append(
                f"{condition.perturbation}: played again here, it ended otherwise than it was recorded."
            )
    return films, notes


def side_by_side(films: Sequence[Film], words: Sequence[str]) -> Iterator[npt.NDArray[np.uint8]]:
    """Frames of both next to each other; the one that ends first keeps its last frame."""
    for k in range(max(len(made.frames) for made in films)):
        row = []
        for made, label in zip(films, words, strict=True):
            over = k >= len(made.frames) - 1
            text = f"{label}: {made.outcome}" if over else label
            # Above: players put their buttons over the lower edge.
            row.append(captioned(made.frames[min(k, len(made.frames) - 1)], text, above=True))
        yield grid([row])


def _film(settings: EnvironmentSettings, record: EpisodeRecord) -> Film:
    return film(replace(settings, image_size=SIZE), again(record), every=EVERY, finish=ringed)


def _same_goal(row: EpisodeRow) -> bool:
    return bool((row.draws.get("twin") or {}).get("goal", True))


def _kinds(pair: Twins) -> tuple[tuple[str, str | None], ...]:
    condition = pair.perturbed[0]
    return (("category", condition.category), ("backend", condition.backend), ("knob", condition.knob))
