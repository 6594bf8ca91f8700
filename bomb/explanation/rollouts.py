"""The study's masked rollouts: the policy, and the policy with one span hidden, on the same seeds."""

from collections.abc import Callable
from pathlib import Path

from bomb.evaluation import EvaluationSettings, ExecutionSettings, evaluate
from bomb.explanation.settings import ExplanationSettings
from bomb.explanation.spans import STUDY
from bomb.report.loading import load_runs
from bomb.report.page import write_page
from bomb.report.summary import summarise
from core.errors import OptionError

UNMASKED = "unmasked"
PRESETS = {"study": tuple(f"span='{name}'" for name in STUDY)}
PRESETS["regions"] = tuple(f"region='{name}'" for name in ("stone", "target", "gripper"))


def masked_rollouts(
    settings: ExplanationSettings,
    preset: str,
    out: Path,
    *,
    workers: int | None = None,
    told: Callable[[str], None] | None = None,
) -> Path:
    """Plays what is missing of a preset's runs in ``out`` and writes their report.

    Args:
        settings: of the explanation; seeds must follow one another.
        preset: one of ``PRESETS``.
        out: folder of the runs, one each.
        workers: processes; None: one a core.
        told: called with the name of each run before it is played.

    Returns:
        The page: paths overlaid, differences tested.

    Raises:
        OptionError: for seeds with gaps.
    """
    seeds = settings.seeds
    if list(seeds) != list(range(seeds[0], seeds[0] + len(seeds))):
        raise OptionError(f"runs are of seeds that follow one another, got {', '.join(map(str, seeds))}")
    folders = []
    for mask in (None, *PRESETS[preset]):
        name = UNMASKED if mask is None else mask.split("'")[1]
        if told is not None:
            told(name)
        words = settings.policy if mask is None else f"masked({settings.policy}, {mask})"
        asked = EvaluationSettings(
            policy=words,
            backends=settings.backends,
            tasks=(settings.task,),
            perturbations=settings.perturbations,
            split=settings.split,
            episodes=len(seeds),
            seed=seeds[0],
            chunks=settings.chunks,
        )
        folders.append(out / name)
        evaluate(asked, out / name, execution=ExecutionSettings(workers=workers))
    runs = load_runs(folders)
    page = out / "report.html"
    write_page(page, summarise(runs, margin=None), runs, pairs=0)
    return page
