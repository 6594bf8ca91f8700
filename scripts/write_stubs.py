"""Writes the stubs of ``core`` and ``bomb``, whose public names are imported on first use.

    python -m scripts.write_stubs    writes core/__init__.pyi and bomb/__init__.pyi

A type checker does not see what ``__getattr__`` finds. ``tests/core/test_stub.py`` holds them to the lists.
"""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("core", "bomb")
HEAD = '"""What type checkers see of this package; written by ``python -m scripts.write_stubs``."""\n\n'


def homes(package: str) -> dict[str, str]:
    """Public name to the module that it lives in."""
    found = dict(import_module(package).PUBLIC)
    if package != "core":
        found |= {name: "core" for name in import_module("core").PUBLIC if name not in found}
    return found


def main() -> None:
    """Writes both."""
    files = []
    for package in PACKAGES:
        found = homes(package)
        lines = [f"from {home} import {name} as {name}" for name, home in found.items()]
        listed = "\n".join(f'    "{name}",' for name in sorted(found))
        files.append(ROOT / package / "__init__.pyi")
        files[-1].write_text(HEAD + "\n".join(lines) + f"\n\n__all__ = [\n{listed}\n]\n")
    for command in (["check", "--fix", "--quiet"], ["format", "--quiet"]):
        subprocess.run([sys.executable, "-m", "ruff", *command, *files], check=True)


if __name__ == "__main__":
    main()
