"""``bomb evaluate``."""

import argparse
from pathlib import Path

from bomb.cli.options import add_salt, names, salted
from bomb.evaluation.settings import EXECUTORS, GOALS, KEEP, EvaluationSettings, ExecutionSettings
from bomb.policies.registry import POLICIES
from bomb.processes.statuses import INTERRUPTED
from core.registry import BACKENDS, TASKS
from core.rendering.observation import MODALITIES
from core.seeding import SPLITS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.epilog = (
        "What a run takes on one core, besides the policy's own time: an episode of 100 steps about 0.2 s "
        "without cameras; drawn in software, about 6 s with one camera of 256 x 256 looked through at every "
        "step, and 1 to 3 s in each worker before its first picture. Policies that return chunks are shown "
        "fewer pictures. The progress bar says how long is left."
    )
    what = parser.add_argument_group("what is evaluated; NAMES are comma-separated")
    what.add_argument(
        "--policy",
        required=True,
        metavar="NAME",
        help=f"one of {', '.join(POLICIES.names())}, module:Class(...), or an address",
    )
    what.add_argument(
        "--backend", required=True, metavar="NAMES", help=f"out of {', '.join(BACKENDS.names())}"
    )
    what.add_argument(
        "--task", default="place_stone", metavar="NAMES", help=f"out of {', '.join(TASKS.names())}"
    )
    what.add_argument(
        "--perturbations",
        default="clean",
        metavar="WORDS",
        help="comma-separated conditions: clean, bomb:3, board_pose:1-5, words:letters, a:1+b:2, set.json",
    )
    what.add_argument("--split", default="test", metavar="NAME", help=f"one of {', '.join(SPLITS)}")
    add_salt(what)
    what.add_argument("--episodes", type=int, default=20, metavar="N", help="how many in each condition")
    what.add_argument("--seed", type=int, default=0, metavar="S", help="seed of the first; the rest count up")
    what.add_argument(
        "--goals", default="all", metavar="SET", help=f"{', '.join(GOALS)}: in the demonstrations or held out"
    )
    what.add_argument(
        "--max-steps",
        type=int,
        metavar="K",
        help="actions per episode; default: the task's own, 400 for one move",
    )
    what.add_argument("--action-mode", default="delta", metavar="MODE", help="delta or absolute")
    what.add_argument("--control-hz", type=int, default=20, metavar="HZ", help="actions per second")
    what.add_argument(
        "--cameras",
        metavar="NAMES",
        help="what the policy sees, or 'none'; default: what the policy declares, else none for privileged "
        "policies and head for the others",
    )
    what.add_argument(
        "--image-size",
        type=int,
        metavar="PIXELS",
        help="side of each picture; default: what the policy declares, else 256",
    )
    what.add_argument(
        "--modalities",
        metavar="NAMES",
        help=f"of each picture, out of {', '.join(MODALITIES)}; default: what the policy declares, else rgb",
    )
    what.add_argument("--supersample", type=int, metavar="K", help="draw K times larger and filter down")
    what.add_argument(
        "--renderer",
        metavar="NAME",
        help=f"which engine draws: {', '.join(BACKENDS.names())}; default: each its own",
    )
    what.add_argument(
        "--device",
        metavar="NAME",
        help="what pictures are drawn on: auto, cpu, gpu:0, gpu:1, ... (bomb doctor lists them); "
        "default: BOMB_RENDER, else the first GPU, else cpu",
    )
    what.add_argument(
        "--stop-on-success", action="store_true", help="end an episode when success first holds"
    )
    what.add_argument(
        "--chunks",
        default="full",
        metavar="MODE",
        help="how much of a chunk is executed before the next look: full, half, first, a number, ensemble",
    )
    what.add_argument(
        "--allow-training-split",
        action="store_true",
        help="evaluate even on the split that the policy was trained on",
    )
    _add_execution(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="run folder; name it again to resume")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")


def _add_execution(parser: argparse.ArgumentParser) -> None:
    default = ExecutionSettings()
    how = parser.add_argument_group("how it is carried out; may be another when a run is taken up again")
    how.add_argument("--workers", type=int, metavar="N", help="processes; default: one a core")
    how.add_argument(
        "--executor", default=default.executor, metavar="NAME", help=f"one of {', '.join(EXECUTORS)}"
    )
    how.add_argument("--ray-address", metavar="ADDRESS", help="of a running cluster; default: RAY_ADDRESS")
    for name, words in (("videos", "which episodes are filmed"), ("states", "whose full states are kept")):
        how.add_argument(
            f"--{name}", default=getattr(default, name), metavar="WHICH", help=f"{words}: {', '.join(KEEP)}"
        )
    how.add_argument(
        "--retries", type=int, default=default.retries, metavar="N", help="of an episode that had an error"
    )
    for name, kind, unit, words in (
        ("policy-timeout", float, "S", "seconds that a policy may take for an answer"),
        ("episode-timeout", float, "S", "seconds that an episode may take"),
        ("batch", int, "N", "observations that a policy that batches gets at once, at most"),
        ("batch-wait-ms", float, "MS", "how long a batch that is not full waits"),
    ):
        value = getattr(default, name.replace("-", "_"))
        how.add_argument(f"--{name}", type=kind, default=value, metavar=unit, help=words)


def run(args: argparse.Namespace) -> int:
    """Evaluates, prints the result and writes it."""
    from bomb.cli.evaluate_output import Progress, summary_words
    from bomb.disk.files import write_json
    from bomb.evaluation import evaluate

    settings, execution = read(args)
    with Progress(settings.policy) as progress:
        result = evaluate(
            settings, args.out, execution=execution, report=progress.report, begin=progress.begin
        )
    if args.json is not None:
        write_json(args.json, result)
    print(summary_words(result))
    if result["complete"]:
        return 0
    return INTERRUPTED if result["stopped"] == "interrupted" else 1


def read(args: argparse.Namespace) -> tuple[EvaluationSettings, ExecutionSettings]:
    """The settings that the arguments say.

    Raises:
        OptionError, UnknownNameError: for values that are not allowed.
    """
    settings = EvaluationSettings(
        policy=args.policy,
        backends=names(args.backend, "--backend"),
        tasks=names(args.task, "--task"),
        perturbations=names(args.perturbations, "--perturbations"),
        split=salted(args.split, args.salt),
        episodes=args.episodes,
        seed=args.seed,
        goals=args.goals,
        max_steps=args.max_steps,
        action_mode=args.action_mode,
        control_hz=args.control_hz,
        cameras=chosen_cameras(args.cameras),
        image_size=None if args.image_size is None else (args.image_size, args.image_size),
        modalities=None if args.modalities is None else names(args.modalities, "--modalities"),
        supersample=args.supersample,
        renderer=args.renderer,
        device=args.device,
        stop_on_success=args.stop_on_success,
        chunks=args.chunks,
        allow_training_split=args.allow_training_split,
    )
    fields = ExecutionSettings.__dataclass_fields__
    return settings, ExecutionSettings(**{name: getattr(args, name) for name in fields})


def chosen_cameras(text: str | None) -> tuple[str, ...] | None:
    """Cameras out of the option's words; None leaves the choice to the policy.

    Raises:
        OptionError: if the option is empty.
    """
    if text is None:
        return None
    return () if text == "none" else names(text, "--cameras")
