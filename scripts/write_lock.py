"""Writes requirements.lock: what this environment has of the project's dependencies, and of theirs.

Run it with the environment's own Python after changing pyproject.toml or upgrading a package:
``python -m scripts.write_lock``. Plain ``name==version`` lines; environment markers are evaluated here.
"""

import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Written by scripts/write_lock.py. `make setup` installs exactly these.\n"


def wanted() -> list[Requirement]:
    """The project's own requirements: run time, light extras, tests and build."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lines = project["build-system"]["requires"] + project["project"]["dependencies"]
    for extra in ("games", "report", "data", "openpi", "test"):
        lines += project["project"]["optional-dependencies"][extra]
    return [Requirement(line) for line in lines]


def pinned() -> dict[str, str]:
    """Name to version of every package that the requirements pull in.

    Raises:
        SystemExit: if one of them is not installed here.
    """
    versions: dict[str, str] = {}
    queue = wanted()
    while queue:
        requirement = queue.pop()
        name = canonicalize_name(requirement.name)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            raise SystemExit(f"{name} is not installed here; run `make setup` first") from None
        if name in versions:
            continue
        versions[name] = found.version
        for line in found.requires or []:
            child = Requirement(line)
            extras = requirement.extras or {""}
            if child.marker is None or any(child.marker.evaluate({"extra": extra}) for extra in extras):
                queue.append(child)
    return versions


def main() -> None:
    """Writes the file and says how many packages it names."""
    versions = pinned()
    lines = [f"{name}=={version}\n" for name, version in sorted(versions.items())]
    (ROOT / "requirements.lock").write_text(HEADER + "".join(lines))
    print(f"requirements.lock: {len(versions)} packages")


if __name__ == "__main__":
    main()
