"""Pairs of twins as videos on the page."""

from collections.abc import Sequence

from bomb.machine.progress import progress
from bomb.pages.page import Page
from bomb.pictures.images import write_mp4
from bomb.report.loading import LoadedRun
from bomb.report.twins import EVERY, Twins, choose, film_twins, side_by_side
from bomb.statistics import formats
from core.errors import BombError
from core.world.temporary import temporary_folder


def films(page: Page, runs: Sequence[LoadedRun], pairs: int) -> None:
    """The most telling pairs of each run, ``pairs`` in all, the first run's first."""
    chosen: list[tuple[LoadedRun, Twins]] = []
    per_run = [(run, choose(run.conditions, run.rows, pairs)) for run in runs]
    for k in range(pairs):
        chosen += [(run, found[k]) for run, found in per_run if k < len(found)]
    if not chosen:
        return
    page.heading("Twins, side by side")
    page.paragraph(
        "The same seed twice: left the clean world, right the same goal under a perturbation. The ring marks "
        "the target for the reader; the policy never saw it. The recorded actions are played again in the "
        "same simulator."
    )
    with page.columns("30rem"):
        for run, twins in progress(chosen[:pairs], desc="films", unit="pair"):
            try:
                _pair(page, run, twins)
            except BombError as error:
                condition, row = twins.perturbed
                page.paragraph(f"{condition.key}, seed {row.seed} could not be filmed: {error}", kind="note")


def _pair(page: Page, run: LoadedRun, twins: Twins) -> None:
    (condition, row), clean = twins.perturbed, twins.clean[1]
    made, notes = film_twins(run, twins)
    fps = max(1, round(made[0].result.record.about["control_hz"] / EVERY))
    labels = ("clean", condition.perturbation)
    with temporary_folder("twins") as folder:
        file = folder / "twins.mp4"
        write_mp4(file, side_by_side(made, labels), fps)
        video = file.read_bytes()
    place = ", ".join(part for part in (run.name, condition.task, condition.backend) if part)
    words = (
        f"{place}, seed {row.seed}: “{clean.instruction}”"
        + (f" — “{row.instruction}”" if row.instruction != clean.instruction else "")
        + f". Left: clean, placed. Right: `{condition.perturbation}`, "
        f"{formats.words(row.reason)}. "
        f"{formats.share(twins.share)} of the seeds went this way under this perturbation."
    )
    page.video(video, " ".join([words, *notes]))
