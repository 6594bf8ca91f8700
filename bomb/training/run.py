"""A training from its recipe and data to its chosen checkpoint."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bomb.disk.files import write_json, writing
from bomb.disk.lock import WriterLock
from bomb.training.building import make_model
from bomb.training.data import check_alike, chunks_of, statistics_of
from bomb.training.folders import LOCK, SELECTION
from bomb.training.loop import StepListener, Trained, Trainer, make_accelerator
from bomb.training.page import write_page
from bomb.training.recipe import Recipe
from bomb.training.saving import begin, check_folder, check_same
from bomb.training.selection import choose
from bomb.training.sources import open_sources


@dataclass(frozen=True, kw_only=True)
class Watcher:
    """Who is told how far a training is; each may be None.

    Attributes:
        drawn: called with a word about each episode that was drawn.
        began: called with the step that it begins after, the last step, and the number of learned and of all
            parameters.
        step: called with each step and its loss.
        measured: called with each measurement.
    """

    drawn: Callable[[str], None] | None = None
    began: Callable[[int, int, int, int], None] | None = None
    step: StepListener | None = None
    measured: Callable[[dict[str, Any]], None] | None = None


def train(
    recipe: Recipe,
    folders: Sequence[Path],
    out: Path,
    *,
    store: Path | None = None,
    workers: int = 1,
    watcher: Watcher | None = None,
) -> tuple[Trained, dict[str, Any] | None]:
    """Draws, trains, measures and chooses; the same call resumes what was interrupted.

    Args:
        recipe: what to do.
        folders: of the sources that the recipe names no folder of.
        out: folder of the training.
        store: where what is drawn is kept; several trainings may share one. None: ``out/frames``.
        workers: processes that draw.
        watcher: is told how far it is.

    Returns:
        What was reached, and what was chosen (None if it is not complete).

    Raises:
        OptionError, UnknownNameError, ConventionError: for what does not fit, before anything is trained.
        FileError: naming a file that is missing, damaged, of something else, or cannot be written.
        TrainingError: naming the step and the sample, if a loss is not finite.
    """
    watcher, out = watcher or Watcher(), Path(out)
    store = out / "frames" if store is None else Path(store)
    accelerator = make_accelerator(recipe)
    main = accelerator.is_main_process
    lock = None
    if main:
        check_folder(out)
        with writing(out):
            out.mkdir(parents=True, exist_ok=True)
        lock = WriterLock(out / LOCK)
    try:
        # One process draws; the others find everything there.
        with accelerator.main_process_first():
            sources = open_sources(recipe, folders, store, workers=workers, report=watcher.drawn)
        check_alike(sources, recipe.model)
        provenance = [source.provenance for source in sources]
        if main:
            check_same(out, recipe, provenance)
        texts = [
            text
            for source in sources
            for frames in source.frames
            for episode in frames.episodes
            for text in episode.texts
        ]
        vla = make_model(
            recipe,
            statistics_of(sources, recipe.model),
            texts=texts,
            control_hz=sources[0].control_hz,
            trained_on=provenance,
        )
        if recipe.model.tokens == "data":
            vla.adapt(chunks_of(sources, recipe.model))
        trainer = Trainer(vla, sources, recipe, out, accelerator=accelerator)
        if main:
            begin(out, recipe, provenance)
        if watcher.began is not None:
            watcher.began(trainer.step, recipe.steps, vla.count(trained=True), vla.count())

        def measured(errors: dict[str, Any]) -> None:
            write_page(out)
            if watcher.measured is not None:
                watcher.measured(errors)

        trained = trainer.train(watcher.step, measured)
        chosen = None
        if main:
            if trained.complete:
                chosen = choose(out, recipe.select)
                write_json(out / SELECTION, chosen)
            write_page(out)
        accelerator.wait_for_everyone()
        return trained, chosen
    finally:
        if lock is not None:
            lock.release()
