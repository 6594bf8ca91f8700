"""``bomb doctor``."""

import argparse
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the findings there")
    parser.add_argument(
        "--timeout", type=float, default=180.0, metavar="S", help="seconds that each renderer may take"
    )
    parser.add_argument(
        "--fingerprint",
        action="store_true",
        help="play a fixed episode in each engine, compare it with the stored one, and keep what comes out "
        "for the provenance of runs; half a minute",
    )


def run(args: argparse.Namespace) -> int:
    """Examines, prints one line per finding and what to do; returns 1 if something is broken."""
    from bomb.disk.files import write_json
    from bomb.machine.diagnosis import PATIENCE, examine

    PATIENCE.check("--timeout", args.timeout)
    findings = []
    for finding in examine(args.timeout, fingerprint=args.fingerprint):
        findings.append(finding)
        print(f"{'ok' if finding.ok else 'BROKEN':7} {finding.what}: {finding.found}", flush=True)
        if finding.advice:
            print(f"        -> {finding.advice}", flush=True)
    broken = [finding for finding in findings if not finding.ok]
    if args.json is not None:
        write_json(args.json, {"ok": not broken, "findings": [finding.to_dict() for finding in findings]})
    if broken:
        print(f"{len(broken)} of {len(findings)} checks failed", file=sys.stderr)
        return 1
    print("all is well")
    return 0
