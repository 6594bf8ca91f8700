"""``bomb models``."""

import argparse
import sys
from pathlib import Path
from typing import Any

ACTIONS = {
    "list": "families, the parts that they are made of, and what is installed",
    "show": "what the checkpoint in DIR is, without loading it",
    "verify": "load the checkpoint in DIR and check it; for those who have real weights",
    "efficiency": "parameters, memory, decisions and actions a second, measured",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument(
        "action",
        nargs="?",
        default="list",
        choices=ACTIONS,
        metavar="ACTION",
        help="default: list. " + "; ".join(f"{k}: {v}" for k, v in ACTIONS.items()),
    )
    parser.add_argument("folders", type=Path, nargs="*", metavar="DIR", help="of checkpoints")
    parser.add_argument("--device", default="auto", metavar="NAME", help="torch's name")
    parser.add_argument("--dtype", metavar="NAME", help="of the weights; default: as they are stored")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="verify: dataset of bomb collect to predict from"
    )
    parser.add_argument(
        "--backend", default="mujoco", metavar="NAME", help="verify: engine that draws --data"
    )
    parser.add_argument("--batch", type=int, default=1, metavar="N", help="efficiency: questions at once")
    parser.add_argument(
        "--repeats", type=int, default=20, metavar="N", help="efficiency: passes that are timed"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")


def run(args: argparse.Namespace) -> int:
    """Does what was asked for; 1 if a check failed."""
    from bomb.disk.files import write_json
    from core.errors import OptionError, missing_extra

    if args.action == "list":
        result, status = _list(), 0
    else:
        if not args.folders:
            raise OptionError(f"bomb models {args.action} needs the folder of a checkpoint")
        call = {"show": _show, "verify": _verify, "efficiency": _efficiency}[args.action]
        try:
            result, status = call(args)
        except ImportError as error:
            raise missing_extra(f"bomb models {args.action}", "vla") from error
    if args.json is not None:
        write_json(args.json, result)
    return status


def _list() -> dict[str, Any]:
    from bomb.models.command.listing import listing

    found = listing()
    for what in ("families", "backbones", "codecs", "heads", "normalisations"):
        print(f"{what}: {', '.join(found[what])}")
    for name, version in found["packages"].items():
        print(f"{name:14} {version or 'not installed'}")
    return found


def _show(args: argparse.Namespace) -> tuple[dict[str, Any], int]:
    from dataclasses import asdict

    from bomb.models.command.listing import show

    results = []
    for folder in args.folders:
        found = show(folder)
        result = {"folder": found["folder"], "settings": asdict(found["settings"])}
        print(f"{folder}: {found['settings'].family}")
        for name, value in result["settings"].items():
            print(f"  {name:14} {value}")
        if "statistics" in found:
            result["statistics"] = found["statistics"].to_dict()
            for name, value in result["statistics"]["action"].items():
                print(f"  action {name:7} {value}")
        if "weights" in found:
            weights = result["weights"] = asdict(found["weights"])
            kinds = ", ".join(f"{count:,} {name}" for name, count in weights["kinds"].items())
            print(f"  weights        {weights['parameters']:,} ({kinds}), {weights['megabytes']} MB")
            for name, count in weights["groups"].items():
                print(f"    {count:>15,}  {name}")
        results.append(result)
    return {"checkpoints": results}, 0


def _verify(args: argparse.Namespace) -> tuple[dict[str, Any], int]:
    from bomb.models.command.moments import moments
    from bomb.models.command.verifying import verify

    results, broken = [], 0
    for folder in args.folders:
        requests, actions = moments(folder, args.data, backend=args.backend) if args.data else (None, None)
        findings = []
        for finding in verify(
            folder, device=args.device, dtype=args.dtype, requests=requests, actions=actions
        ):
            print(f"{'ok' if finding.ok else 'BROKEN':7} {finding.what}: {finding.found}", flush=True)
            if finding.advice:
                print(f"        -> {finding.advice}", flush=True)
            findings.append(finding.to_dict())
            broken += not finding.ok
        results.append({"folder": str(folder), "findings": findings})
    if broken:
        print(f"{broken} checks failed", file=sys.stderr)
    return {"ok": not broken, "checkpoints": results}, 1 if broken else 0


def _efficiency(args: argparse.Namespace) -> tuple[dict[str, Any], int]:
    from bomb.models.checkpoint import Checkpoint
    from bomb.models.command.efficiency import measure
    from bomb.models.settings import MOST, check_count
    from bomb.statistics.formats import fixed
    from core.errors import OptionError

    for name, value in (("--batch", args.batch), ("--repeats", args.repeats)):
        if check_count(name, value) > MOST:
            raise OptionError(f"{name} must be at most {MOST}, got {value}")
    print("| model | parameters | memory | latency median (5-95%) | decisions | actions | device |")
    print("|---|---|---|---|---|---|---|")
    results = []
    for folder in args.folders:
        vla = Checkpoint.load(folder, device=args.device, dtype=args.dtype).vla
        found = measure(vla, batch=args.batch, repeats=args.repeats)
        middle, low, high = map(fixed, found.latency_ms)
        peak = "" if found.peak_mb is None else f", {found.peak_mb} MB at most"
        print(
            f"| {found.family} | {found.parameters:,} | {found.memory_mb} MB of weights{peak} | "
            f"{middle} ({low}-{high}) ms | {found.decisions_hz} Hz | {found.actions_hz} Hz | "
            f"{found.device}, {found.dtype}, batch {found.batch}, n = {args.repeats} |"
        )
        results.append({"folder": str(folder), **found.to_dict()})
    return {"models": results}, 0
