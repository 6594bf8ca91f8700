"""``bomb train``: a recipe and data become checkpoints; ``bomb train rank`` compares rules of selection."""

import argparse
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bomb.machine.progress import progress
from bomb.processes.statuses import INTERRUPTED
from bomb.statistics.formats import significant
from core.errors import OptionError, missing_extra

if TYPE_CHECKING:
    from tqdm import tqdm

    from bomb.training.run import Watcher

WORDS = ("rank", "page", "study")

NEEDS = {"rank": "the folder of a training", "page": "the folder of a training", "study": "a YAML file"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument(
        "recipe",
        metavar="RECIPE",
        help="YAML file, or the name of one in recipes/, see docs/training.md; or `rank`: play every "
        "checkpoint of a training and compare the rules of selection; or `page`: write its page again; or "
        "`study`: several trainings that differ in what is studied, see recipes/studies",
    )
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        metavar="PLACE",
        help="folder of the training, for rank and page; YAML file, for study",
    )
    parser.add_argument("--data", type=Path, nargs="+", default=[], metavar="DIR", help="of `bomb collect`")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="of the training; the same command resumes it"
    )
    parser.add_argument("--start", type=Path, metavar="DIR", help="checkpoint or VLM to start from")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="ENTRY=VALUE",
        help="change the recipe: optimiser.rate=1e-4",
    )
    parser.add_argument("--frames", type=Path, metavar="DIR", help="what is drawn; default: OUT/frames")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes that draw, or play")
    parser.add_argument("--scenes", type=int, default=20, metavar="N", help="of rank, in each simulator")
    parser.add_argument("--backend", default="mujoco", metavar="NAMES", help="of rank: comma-separated")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what there is at the end there")


def run(args: argparse.Namespace) -> int:
    """Trains, ranks, or writes a page."""
    if args.recipe not in WORDS:
        args.recipe = _recipe_file(args.recipe)  # a wrong name is said before what is not installed
    try:
        import torch  # noqa: F401 -- missed before anything is drawn
        import yaml  # noqa: F401
    except ImportError as error:
        raise missing_extra("bomb train", "vla") from error
    if args.recipe not in WORDS and (own := _own_trainer(args.recipe)) is not None:
        return own(args)
    try:
        import transformers  # noqa: F401
        from accelerate import Accelerator  # noqa: F401
    except ImportError as error:
        raise missing_extra("bomb train", "vla") from error
    if args.recipe in WORDS:
        if args.folder is None:
            raise OptionError(f"bomb train {args.recipe} needs {NEEDS[args.recipe]}")
        return {"rank": _rank, "page": _page, "study": _study}[args.recipe](args)
    return _train(args)


def _train(args: argparse.Namespace) -> int:
    from bomb.training.reading import read_recipe
    from bomb.training.recipe import Recipe
    from bomb.training.run import train

    if args.out is None:
        raise OptionError("bomb train needs --out, the folder of the training")
    changes = dict(_change(words) for words in args.set)
    if args.start is not None:
        changes["model.folder"] = str(args.start)
    recipe: Recipe = read_recipe(args.recipe, changes)
    # Only the first of several processes writes to the terminal.
    quiet = int(_environment("RANK", "0")) > 0
    bar = progress(total=recipe.steps, unit="step", desc=recipe.name, disable=quiet)

    watcher = _watcher(bar, quiet=quiet)
    with bar:
        trained, chosen = train(
            recipe, args.data, args.out, store=args.frames, workers=args.workers, watcher=watcher
        )
    if quiet:
        return 0
    if args.json is not None:
        from bomb.disk.files import write_json

        reached = {"step": trained.step, "complete": trained.complete, "held_out": trained.held_out}
        write_json(args.json, {**reached, "selection": chosen})
    if chosen is None:
        print(f"stopped after step {trained.step}; the same command resumes it", file=sys.stderr)
        return INTERRUPTED
    print(f"{args.out / 'chosen'}: step {chosen['step']} by {chosen['rule']}")
    return 0


def _watcher(bar: "tqdm[Any]", *, quiet: bool = False) -> "Watcher":
    """Tells a bar how far a training is."""
    from bomb.training.run import Watcher

    def began(step: int, steps: int, learned: int, parameters: int) -> None:
        if not quiet:
            print(f"{parameters:,} parameters, {learned:,} are learned; from step {step}", file=sys.stderr)
        bar.update(step - bar.n)

    def stepped(step: int, loss: float) -> None:
        bar.set_postfix_str(f"loss {significant(loss)}", refresh=False)
        bar.update(step - bar.n)

    def measured(errors: dict[str, Any]) -> None:
        groups = ", ".join(f"{name} {significant(entry['mse'])}" for name, entry in errors["groups"].items())
        bar.write(
            f"step {errors['step']}: held out: loss {significant(errors['loss'])}, "
            f"mse {significant(errors['mse'])} ({groups})",
            file=sys.stderr,
        )

    return Watcher(
        drawn=lambda words: bar.set_postfix_str(words), began=began, step=stepped, measured=measured
    )


def _study(args: argparse.Namespace) -> int:
    from bomb.training.study_page import words_of
    from bomb.training.study_recipe import read_study, trainings
    from bomb.training.studying import study

    if args.out is None:
        raise OptionError("bomb train study needs --out, the folder of the study")
    given = {"--set": args.set, "--start": args.start, "--frames": args.frames}
    if ignored := [name for name, value in given.items() if value]:
        raise OptionError(f"a study takes no {' or '.join(ignored)}: its arms say what differs")
    recipe = read_study(args.folder)
    made = trainings(recipe, args.folder, tuple(args.data))
    steps = {training.folder: training.steps for training in made}
    bars: list[tqdm[Any]] = []

    def watch(name: str) -> "Watcher":
        if bars:
            bars.pop().close()
        bars.append(progress(total=steps[name], unit="step", desc=name))
        return _watcher(bars[-1])

    try:
        result = study(
            recipe, made, args.data, args.out, workers=args.workers, watch=watch,
            told=lambda words: print(words, file=sys.stderr),
        )  # fmt: skip
    finally:
        for bar in bars:
            bar.close()
    if result is None:
        print("stopped; the same command resumes the study", file=sys.stderr)
        return INTERRUPTED
    if args.json is not None:
        from bomb.disk.files import write_json

        write_json(args.json, result)
    print(words_of(result))
    print(args.out / "index.html")
    return 0


def _recipe_file(words: str) -> str:
    """The file that is meant: a path, or the name of a recipe in recipes/ here."""
    recipes = Path("recipes")
    for file in (words, str(recipes / f"{words}.yaml")):
        if Path(file).exists():
            return file
    there = ", ".join(sorted(file.stem for file in recipes.glob("*.yaml")))
    raise OptionError(f"{words} does not exist" + (f"; recipes/ has {there}" if there else ""))


def _own_trainer(file: str) -> Callable[[argparse.Namespace], int] | None:
    """What trains the policy that a recipe names, where that is no VLA of the general trainer."""
    from bomb.training.reading import read_entries

    trainers = {"keypoint": _train_keypoint, "small-vla": _train_small}
    return trainers.get(str(read_entries(file).get("policy")))


def _train_keypoint(args: argparse.Namespace) -> int:
    from bomb.training.keypoint.recipe import KeypointRecipe
    from bomb.training.keypoint.run import train_keypoint
    from bomb.training.reading import read_recipe

    if args.start is not None:
        raise OptionError("keypoint starts from random weights; it takes no --start")
    recipe = read_recipe(args.recipe, dict(_change(words) for words in args.set), kind=KeypointRecipe)
    file = _watched(args, recipe.name, recipe.steps, partial(train_keypoint, recipe))
    if file is None:
        return INTERRUPTED
    return _trained(args, file, file.with_suffix(".json"), f"keypoint('{file}')")


def _train_small(args: argparse.Namespace) -> int:
    from bomb.training.reading import read_recipe
    from bomb.training.small.recipe import SmallRecipe
    from bomb.training.small.run import CARD, train_small

    recipe = read_recipe(args.recipe, dict(_change(words) for words in args.set), kind=SmallRecipe)
    steps = recipe.steps(eyes=args.start is None)
    folder = _watched(args, recipe.name, steps, partial(train_small, recipe, start=args.start))
    if folder is None:
        return INTERRUPTED
    return _trained(args, folder, folder / CARD, f"small-vla('{folder}')")


def _watched(args: argparse.Namespace, name: str, steps: int, train: Callable[..., Path]) -> Path | None:
    """What ``train`` returns, with a bar; None if it was interrupted."""
    from bomb.training.keypoint.parts import PartWatcher

    if args.out is None:
        raise OptionError("bomb train needs --out, the folder of the training")
    with progress(total=steps, unit="step", desc=name) as bar:

        def stepped(part: str, step: int, loss: float) -> None:
            bar.set_postfix_str(f"{part}: loss {significant(loss)}", refresh=False)
            bar.update(step - bar.n)

        watcher = PartWatcher(
            drawn=lambda k, of: bar.set_postfix_str(f"{k} of {of} looks drawn"), step=stepped
        )
        try:
            return train(args.data, args.out, store=args.frames, workers=args.workers, watcher=watcher)
        except KeyboardInterrupt:
            print("stopped; the same command resumes it", file=sys.stderr)
            return None


def _trained(args: argparse.Namespace, made: Path, card: Path, policy: str) -> int:
    print(f'{made}: --policy "{policy}"')
    if args.json is not None:
        from bomb.disk.files import read_json, write_json

        write_json(args.json, read_json(card))
    return 0


def _rank(args: argparse.Namespace) -> int:
    from bomb.cli.options import names
    from bomb.training.ranking import rank, words_of

    ranked = rank(
        args.folder, scenes=args.scenes, backends=names(args.backend, "--backend"), workers=args.workers
    )
    if args.json is not None:
        from bomb.disk.files import write_json

        write_json(args.json, ranked)
    print(words_of(ranked))
    return 0


def _page(args: argparse.Namespace) -> int:
    from bomb.training.page import write_page

    if not write_page(args.folder):
        raise missing_extra("the page of a training", "report")
    print(args.folder / "index.html")
    return 0


def _change(words: str) -> tuple[str, object]:
    """An entry of the recipe and its value, as YAML has it."""
    import yaml

    name, mark, text = words.partition("=")
    if not mark or not name:
        raise OptionError(f"--set takes ENTRY=VALUE, such as optimiser.rate=1e-4; got {words!r}")
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise OptionError(f"--set {name}: {' '.join(str(error).split())}") from error
    if isinstance(value, str):
        with suppress(ValueError, RecursionError):
            value = json.loads(text)  # 1e-4 is a number to everybody but YAML
    return name, value


def _environment(name: str, default: str) -> str:
    import os

    return os.environ.get(name, default)
