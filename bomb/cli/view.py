"""``bomb view``."""

import argparse
from functools import partial
from pathlib import Path

from core.errors import OptionError
from core.registry import BACKENDS, POLICIES

SUFFIXES = (".png", ".mp4")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument(
        "run",
        type=Path,
        nargs="?",
        metavar="RUN",
        help="run folder: its recorded actions are played; left out: the policy plays",
    )
    parser.add_argument(
        "--condition", metavar="KEY", help="of the run; may be left out where only one has the seed"
    )
    parser.add_argument(
        "--policy", default="expert", metavar="NAME", help=f"one of {', '.join(POLICIES.names())}"
    )
    parser.add_argument(
        "--backend",
        action="append",
        metavar="NAME",
        help=f"one of {', '.join(BACKENDS.names())}; may be given again; left out: all of them",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="seed of the episode")
    parser.add_argument("--split", default="test", metavar="NAME", help="which family of seeds")
    parser.add_argument(
        "--max-steps", type=int, default=400, metavar="K", help="actions at most; it ends on success"
    )
    parser.add_argument("--camera", default="head", metavar="NAME", help="head, front or wrist")
    parser.add_argument(
        "--size", type=int, nargs=2, default=(360, 480), metavar=("H", "W"), help="of each picture, in pixels"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("runs/view.png"),
        metavar="FILE",
        help="a .png shows the moments of the episode, an .mp4 all of it",
    )


def run(args: argparse.Namespace) -> int:
    """Films the episode in each simulator and writes the file."""
    from tqdm import tqdm

    from bomb.filming import contact_sheet, film, side_by_side
    from bomb.pictures import write_mp4, write_png
    from bomb.policies.making import make_policy
    from bomb.rollout import play, replay

    suffix = args.out.suffix.lower()
    if suffix not in SUFFIXES:
        raise OptionError(f"--out must end with one of {', '.join(SUFFIXES)}, got {str(args.out)!r}")
    options = {"split": args.split, "max_steps": args.max_steps, "stop_on_success": True}
    if args.run is None:
        make_policy(args.policy)  # a wrong name is an error before anything is drawn

        def perform(env, watch):
            return play(env, make_policy(args.policy), args.seed, watch)
    else:
        actions, recorded = _recorded(args.run, args.condition, args.seed)
        options |= recorded

        def perform(env, watch):
            return replay(env, args.seed, actions, watch)

    shoot = partial(
        film,
        perform=perform,
        camera=args.camera,
        image_size=tuple(args.size),
        # A picture shows moments, which are drawn anyway.
        every=1 if suffix == ".mp4" else 10**9,
        **options,
    )
    names = args.backend or BACKENDS.names()
    for name in names:
        BACKENDS.target(name)  # all names are checked before the first is played
    films = [shoot(name) for name in tqdm(names, unit="simulator", delay=1)]
    for made in films:
        info = made.result.info
        print(f"{made.backend}: {made.outcome}, after {info['sim_time']:.1f} s")
    if suffix == ".mp4":
        fps = films[0].result.record.about["control_hz"]
        write_mp4(args.out, side_by_side(films), fps)
    else:
        write_png(args.out, contact_sheet(films))
    print(args.out)
    return 0


def _recorded(folder: Path, key: str | None, seed: int):
    """Actions of an episode of a run, and the options it was played with."""
    from bomb.evaluation.perturbation_words import read_perturbations
    from bomb.evaluation.store import RunStore

    with RunStore.open(folder) as store:
        conditions = {condition.key: condition for condition in store.conditions()}
        having = [row.condition for row in store.episodes() if row.seed == seed]
        if key is None:
            if len(having) > 1:
                raise OptionError(
                    f"several conditions have seed {seed}; --condition says which: {', '.join(having)}"
                )
            key = having[0] if having else next(iter(conditions))
        record, settings = store.record(key, seed), store.settings()
    names = ("split", "max_steps", "action_mode", "control_hz", "stop_on_success")
    options = {name: settings[name] for name in names}
    condition = conditions[key]
    levels: object = condition.levels or None
    if "#" in condition.perturbation:  # the draws are in the file
        (word,) = [
            w
            for w in settings["perturbation_words"]
            if Path(w).name == condition.perturbation.partition("#")[0]
        ]
        (perturbed,) = read_perturbations([word])
        if perturbed.label != condition.perturbation:
            raise OptionError(
                f"{word} is now {perturbed.label}, the run was made with {condition.perturbation}"
            )
        levels = perturbed.option
    return record.actions, {**options, "task": condition.task, "perturbations": levels}
