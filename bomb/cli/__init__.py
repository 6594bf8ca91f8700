"""The command ``bomb``: one verb, one file, imported when it is asked for."""

import argparse
import sys
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from importlib import import_module

from bomb.disk.files import DISK_ERRORS, WriteError
from bomb.disk.text import HarmlessStream, on_terminal
from bomb.processes.orphans import ended_by_sigterm
from bomb.processes.statuses import CANNOT_WRITE, INTERRUPTED, USAGE_ERROR
from core.errors import BombError

# verb: (module with add_arguments(parser) and run(args) -> exit status, what it does)
VERBS: dict[str, tuple[str, str]] = {
    "demo": ("bomb.cli.demo", "the expert in both simulators, compared; pictures, a video and a page"),
    "parity": ("bomb.cli.parity", "measure how far the simulators agree"),
    "evaluate": (
        "bomb.cli.evaluate",
        "play a policy on a matrix of conditions and report how often it succeeds",
    ),
    "report": ("bomb.cli.report", "sum up runs as a page, JSON, CSV or markdown, with intervals and tests"),
    "results": ("bomb.cli.results", "merge runs into the table of results, and write it into a page"),
    "serve": ("bomb.cli.serve", "serve a policy to openpi clients, other simulators' among them"),
    "collect": ("bomb.cli.collect", "collect demonstrations: successful episodes of the expert"),
    "render": ("bomb.cli.render", "draw the pictures of a dataset, in any simulator, perturbed if asked"),
    "replay": ("bomb.cli.replay", "play a dataset's actions again, in its simulator and in others"),
    "export": ("bomb.cli.export", "write a dataset in a trainer's format: LeRobot or RLDS"),
    "train": ("bomb.cli.train", "train a VLA on demonstrations by a recipe, and rank its checkpoints"),
    "explain": ("bomb.cli.explain", "why a policy acts as it does: what it looks at, which words it follows"),
    "inspect": ("bomb.cli.inspect", "show a dataset as a page: counts, coverage, histograms, anomalies"),
    "rescore": ("bomb.cli.rescore", "judge a stored run again, with the same tolerances or others"),
    "view": ("bomb.cli.view", "draw an episode in every simulator side by side, as a picture or a video"),
    "knobs": ("bomb.cli.knobs", "list the perturbations, their units and levels, and the presets"),
    "gallery": ("bomb.cli.gallery", "draw what perturbations do, in every simulator side by side"),
    "doctor": ("bomb.cli.doctor", "check this machine: Python, packages, and a frame from each renderer"),
    "tasks": ("bomb.cli.tasks", "list the tasks"),
    "backends": ("bomb.cli.backends", "list the simulators and what they can do"),
    "models": ("bomb.cli.models", "list, show, verify and time vision-language-action models"),
    "policies": ("bomb.cli.policies", "list the policies"),
}


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Shows defaults, but not those that say nothing."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default in (None, False) else super()._get_help_string(action)


def main(argv: list[str] | None = None) -> int:
    """Runs a command line.

    Args:
        argv: the words after ``bomb``; those of this process if None.

    Returns:
        The exit status: 0 if all is well, 1 if what was measured misses its bound or something is
        broken, 2 if the question was wrong, 3 if a file cannot be written, 130 after Ctrl-C.
    """
    argv = sys.argv[1:] if argv is None else argv
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # names of files, and words of others, may not be encodable
            stream.reconfigure(errors="backslashreplace")
    if any("\0" in word for word in argv):
        print("bomb: an argument holds a zero character, which no file name can have", file=sys.stderr)
        return USAGE_ERROR
    verb = argv[0] if argv[:1] and argv[0] in VERBS else ""
    with ended_by_sigterm(), _harmless_on_terminals():
        return _run(argv, f"bomb {verb}".strip())


def _harmless_on_terminals() -> AbstractContextManager[object]:
    """Whatever a verb prints moves no cursor; what is not shown, in a pipe or a file, is left as it is."""
    if sys.stdout is None or not sys.stdout.isatty():
        return nullcontext()
    return redirect_stdout(HarmlessStream(sys.stdout))


def _run(argv: list[str], name: str) -> int:
    try:
        parser = parser_for(argv)
        args = parser.parse_args(argv)
        if args.verb is None:
            parser.print_help()
            return USAGE_ERROR
        status: int = import_module(VERBS[args.verb][0]).run(args)
        return status
    except BombError as error:
        print(f"{name}: {on_terminal(error)}", file=sys.stderr)
        return CANNOT_WRITE if isinstance(error, WriteError) else USAGE_ERROR
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has gone; what Python still holds for it must not raise at exit.
        sys.stdout = None
        return 0
    except OSError as error:
        if error.filename is None and error.errno not in DISK_ERRORS:  # not a file that was asked for
            raise
        where = f"{error.filename}: " if error.filename is not None else ""
        print(f"{name}: {on_terminal(where)}{error.strerror or error}", file=sys.stderr)
        return CANNOT_WRITE if error.errno in DISK_ERRORS else USAGE_ERROR


def parser_for(argv: list[str]) -> argparse.ArgumentParser:
    """The parser of a command line: all verbs, and the options of the one that it begins with."""
    parser = argparse.ArgumentParser(
        prog="bomb", description="BOMB, the BOard Manipulation Benchmark.", allow_abbrev=False
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")
    for verb, (module, words) in VERBS.items():
        # Only the verb that was asked for is imported; the others are words in the list.
        child = verbs.add_parser(
            verb,
            help=words,
            description=words[0].upper() + words[1:] + ".",
            formatter_class=_HelpFormatter,
            allow_abbrev=False,
        )
        if verb in argv[:1]:
            import_module(module).add_arguments(child)
    return parser
