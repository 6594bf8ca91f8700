"""Many episodes of one policy in one simulator, and what they amount to."""

import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import core
from bomb import statistics
from bomb.files import FileError
from bomb.policies.making import make_policy
from bomb.rollout import play
from bomb.runs import RunFolder
from core.errors import LifecycleError, OptionError


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """What is evaluated.

    Attributes:
        policy, backend, task, split: registered names.
        episodes: how many; their seeds are ``seed``, ``seed + 1``, ...
        max_steps: actions per episode; None takes the task's own.
        action_mode, control_hz: see ``core.make_task``.
        cameras: what the policy sees; empty renders nothing.
        image_size: (height, width), in pixels.
        stop_on_success: whether an episode ends when success first holds.
    """

    policy: str
    backend: str
    task: str = "place_stone"
    split: str = "test"
    episodes: int = 20
    seed: int = 0
    max_steps: int | None = None
    action_mode: str = "delta"
    control_hz: int = 20
    cameras: tuple[str, ...] = ()
    image_size: tuple[int, int] = (256, 256)
    stop_on_success: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.episodes, bool) or not isinstance(self.episodes, int) or self.episodes < 1:
            raise OptionError(f"episodes must be a positive integer, got {self.episodes!r}")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise OptionError(f"seed must be a non-negative integer, got {self.seed!r}")

    def to_dict(self) -> dict:
        """Plain values, as ``run.json`` has them."""
        return {**asdict(self), "cameras": list(self.cameras), "image_size": list(self.image_size)}

    def make_environment(self) -> core.Environment:
        """The environment these settings describe."""
        options = asdict(self)
        for name in ("policy", "episodes", "seed"):
            options.pop(name)
        return core.make_task(options.pop("task"), **options)


@dataclass(kw_only=True)
class Tally:
    """Verdicts of the episodes so far, in the order of their seeds.

    Attributes:
        verdicts: by seed, of whole episodes.
        moves: by seed, what ``info["moves"]`` said at the end.
        errors: seed to message.
    """

    verdicts: dict[int, dict] = field(default_factory=dict)
    moves: dict[int, dict] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)

    def to_dict(self) -> dict:
        """The result as plain numbers: rates with Wilson intervals, reasons, stages, distances."""
        verdicts = [self.verdicts[seed] for seed in sorted(self.verdicts)]
        success = statistics.rate([verdict["success"] for verdict in verdicts])
        once = statistics.rate([verdict["success_once"] for verdict in verdicts])
        reasons = Counter(verdict["reason"] for verdict in verdicts if not verdict["success"])
        stages = Counter(name for verdict in verdicts for name, held in verdict["stages"].items() if held)
        placed = [v["distance_mm"] for v in verdicts if v["success"] and v["distance_mm"] is not None]
        return {
            "n": success.n,
            "success_rate": success.value,
            "interval": success.interval,
            "success_once_rate": once.value,
            "success_once_interval": once.interval,
            "reasons": dict(reasons.most_common()),
            "stages": dict(sorted(stages.items())),
            "success_distance_mm": statistics.quantile(placed, 0.5).to_dict(),
            "moves": moves_in_a_row([self.moves[seed] for seed in sorted(self.moves)]),
            "errors": {str(seed): message for seed, message in sorted(self.errors.items())},
        }


def moves_in_a_row(moves: list[dict]) -> dict | None:
    """How far the episodes got, as CALVIN reports it; None where every episode has a single move.

    ``in_a_row`` has for each k the share of episodes with k consecutive moves done, out of those that have so
    many: games may end sooner, and one that was not played to its end counts with the most it could have had.
    ``average_length`` is the mean number of moves done; the rest is of single placements.
    """
    if not moves or all(entry["total"] == 1 for entry in moves):
        return None
    asked = [entry["done"] if entry["complete"] else entry["total"] for entry in moves]
    placements = [placement for entry in moves for placement in entry["placements"]]
    return {
        "in_a_row": {
            str(k): statistics.rate(
                [entry["done"] >= k for entry, most in zip(moves, asked, strict=True) if most >= k]
            ).to_dict()
            for k in range(1, max(asked) + 1)
        },
        "average_length": statistics.mean([entry["done"] for entry in moves]).to_dict(),
        "placements": len(placements),
        "distance_mm": statistics.quantile(
            [placement["distance_mm"] for placement in placements], 0.5
        ).to_dict(),
        "wrong_moves": sum(len(entry["wrong"]) for entry in moves),
    }


def evaluate(
    settings: EvaluationSettings,
    out: Path | None = None,
    report: Callable[[int, dict], None] | None = None,
) -> dict:
    """Plays the episodes that are not in ``out`` yet and sums up all of them.

    An episode whose policy raises is kept apart as an error: it is no failure of the policy's hand and
    does not enter the rates; it is played again when the run is taken up again. Ctrl-C ends the run with
    what is finished.

    Args:
        settings: what to evaluate.
        out: run folder, see ``bomb.runs``; None keeps nothing.
        report: called as ``report(seed, verdict)`` when an episode is counted.

    Returns:
        ``Tally.to_dict()`` with the settings, ``privileged``, ``complete`` and ``wall_s``.

    Raises:
        UnknownNameError, OptionError: for settings that are not allowed, before anything is played.
    """
    start = time.perf_counter()
    policy = make_policy(settings.policy)
    # Made first: a wrong name must not leave a run folder behind.
    env = settings.make_environment()
    tally, complete = Tally(), False
    try:
        run = None if out is None else RunFolder.create(out, settings.to_dict())
        for seed in range(settings.seed, settings.seed + settings.episodes):
            about = _stored(run, seed)
            if about is None:
                try:
                    result = play(env, policy, seed)
                except LifecycleError:
                    raise  # ours, not the policy's
                except Exception as error:
                    tally.errors[seed] = f"{type(error).__name__}: {error}"
                    if run is not None:
                        run.store_error(seed, traceback.format_exc())
                    continue
                about = result.record.about
                if run is not None:
                    run.store(seed, result.record)
            tally.verdicts[seed], tally.moves[seed] = about["verdict"], about["moves"]
            if report is not None:
                report(seed, about["verdict"])
        complete = True
    except KeyboardInterrupt:
        pass
    finally:
        env.close()
    return {
        **settings.to_dict(),
        "privileged": policy.privileged,
        **tally.to_dict(),
        "complete": complete and not tally.errors,
        "wall_s": round(time.perf_counter() - start, 3),
    }


def _stored(run: RunFolder | None, seed: int) -> dict | None:
    """What the record of a finished episode says; a damaged file counts as not finished."""
    if run is None or not run.episode_file(seed).exists():
        return None
    try:
        return run.load(seed).about
    except FileError:
        return None
