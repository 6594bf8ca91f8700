"""``bomb view``."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import core
from bomb.cli.options import add_drawn_episode, add_salt, salted
from bomb.machine.progress import progress
from bomb.policies.registry import POLICIES
from bomb.statistics.formats import fixed
from core.errors import OptionError
from core.registry import BACKENDS
from core.seeding import PrivateSplit

if TYPE_CHECKING:
    from bomb.rollouts.rollout import EpisodeResult, SceneWatcher
    from bomb.runs.replaying import Perform

SUFFIXES = (".png", ".mp4")
OUT = Path("runs/view.png")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument(
        "run",
        type=Path,
        nargs="?",
        metavar="RUN",
        help="run folder: its recorded actions are played; default: the policy plays",
    )
    parser.add_argument("--condition", metavar="KEY", help="of the run; optional where only one has the seed")
    parser.add_argument(
        "--policy", default="expert", metavar="NAME", help=f"one of {', '.join(POLICIES.names())}"
    )
    add_salt(parser)
    add_drawn_episode(parser)
    parser.add_argument(
        "--max-steps", type=int, default=400, metavar="K", help="actions at most; it ends on success"
    )
    parser.add_argument("--camera", default="head", metavar="NAME", help="head, front or wrist")
    parser.add_argument(
        "--size", type=int, nargs=2, default=(360, 480), metavar=("H", "W"), help="of each picture, in pixels"
    )
    parser.add_argument(
        "--renderer", metavar="NAME", help="which engine draws; default: the one that moves the bodies"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help=f"a .png shows the moments of the episode, an .mp4 all of it; default: {OUT}, unless --rerun",
    )
    parser.add_argument(
        "--rerun", type=Path, metavar="FILE.rrd", help="write the episode for the Rerun viewer: shapes, poses"
    )
    parser.add_argument(
        "--rerun-pictures", action="store_true", help="what --camera sees goes into the .rrd, too"
    )


def run(args: argparse.Namespace) -> int:
    """Plays the episode in each simulator and writes what was asked for."""
    out = args.out if args.out is not None or args.rerun is not None else OUT
    for option, file, suffixes in (("--out", out, SUFFIXES), ("--rerun", args.rerun, (".rrd",))):
        if file is not None and file.suffix.lower() not in suffixes:
            raise OptionError(f"{option} must end with one of {', '.join(suffixes)}, got {str(file)!r}")
    names = args.backend or BACKENDS.names()
    for name in names:
        BACKENDS.target(name)  # all names are checked before the first is played
    perform, settings = _performance(args)
    if args.rerun is not None:
        _write_rerun(args, names, perform, settings)
    if out is not None:
        _film(args, out, names, perform, settings)
    return 0


def _performance(args: argparse.Namespace) -> "tuple[Perform, core.EnvironmentSettings]":
    """What plays the episode, ``perform(env, watch)``, and the settings of the environment."""
    from bomb.policies.making import make_policy
    from bomb.runs.replaying import played

    if args.run is not None:
        return _recorded(args)
    make_policy(args.policy)  # a wrong name is an error before anything is drawn

    def perform(env: core.Environment, watch: "SceneWatcher") -> "EpisodeResult":
        return played(make_policy(args.policy), args.seed)(env, watch)

    settings = core.EnvironmentSettings(
        backend=core.list_backends()[0],  # played in every simulator that is asked for
        cameras=(args.camera,),
        image_size=args.size,
        renderer=args.renderer,
        split=salted(args.split, args.salt),
        max_steps=args.max_steps,
        stop_on_success=True,
    )
    return perform, settings


def _recorded(args: argparse.Namespace) -> "tuple[Perform, core.EnvironmentSettings]":
    from bomb.runs.replaying import again, recorded_settings
    from bomb.runs.store import RunStore

    with RunStore.open(args.run) as store:
        conditions = {condition.key: condition for condition in store.conditions()}
        having = [row.condition for row in store.episodes() if row.seed == args.seed]
        key = args.condition
        if key is None:
            if len(having) > 1:
                raise OptionError(
                    f"several conditions have seed {args.seed}; --condition says which: {', '.join(having)}"
                )
            key = having[0] if having else next(iter(conditions))
        record = store.record(key, args.seed)
        private = None if args.salt is None else PrivateSplit.read(args.salt)
        settings = recorded_settings(store.settings(), conditions[key], record, args.camera, private)
    return again(record), replace(settings, image_size=args.size, renderer=args.renderer)


def _film(
    args: argparse.Namespace,
    out: Path,
    names: list[str],
    perform: "Perform",
    settings: "core.EnvironmentSettings",
) -> None:
    from bomb.pictures.filming import contact_sheet, film, side_by_side
    from bomb.pictures.images import write_mp4, write_png

    every = 1 if out.suffix.lower() == ".mp4" else 10**9  # a picture shows moments, which are drawn anyway
    films = [
        film(replace(settings, backend=name), perform, every=every)
        for name in progress(names, unit="simulator")
    ]
    for made in films:
        info = made.result.info
        print(f"{made.backend}: {made.outcome}, after {fixed(info['sim_time'], unit='s')}")
    if out.suffix.lower() == ".mp4":
        fps = films[0].result.record.about["control_hz"]
        write_mp4(out, side_by_side(films), fps)
    else:
        write_png(out, contact_sheet(films))
    print(out)


def _write_rerun(
    args: argparse.Namespace, names: list[str], perform: "Perform", settings: "core.EnvironmentSettings"
) -> None:
    from bomb.integrations.rerun import RerunFile
    from bomb.pictures.filming import outcome

    cameras = (args.camera,) if args.rerun_pictures else ()
    with RerunFile(args.rerun, cameras) as file:
        for name in progress(names, unit="simulator"):
            settings = replace(settings, backend=name, cameras=cameras, modalities=())
            with core.make_environment(settings) as env:
                episode = file.episode(name)
                result = perform(env, episode.watch)
                episode.finish(env, result)
            print(f"{name}: {outcome(result)}, after {fixed(result.info['sim_time'], unit='s')}")
    print(args.rerun)
