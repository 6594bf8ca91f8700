"""What a result was made with."""

import platform
from importlib.metadata import PackageNotFoundError, version

from core.backend import PHYSICS, PICTURES
from core.judge.checker import VERDICTS
from core.seeding import DRAWS

DISTRIBUTION = "board-manipulation-benchmark"
PACKAGES = (
    "numpy",
    "scipy",
    "gymnasium",
    "mujoco",
    "sapien",
    "pin",
    "example-robot-data",
    "trimesh",
    "fast-simplification",
    "pillow",
    "av",
    "scikit-image",
    "tqdm",
)
# What decides what an engine makes of a scene.
PHYSICAL = (
    "draws",
    "physics",
    "numpy",
    "mujoco",
    "sapien",
    "pin",
    "example-robot-data",
    "trimesh",
    "fast-simplification",
)


def package_version(name: str) -> str | None:
    """The installed version of a package, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def versions() -> dict[str, str | None]:
    """Python, BOMB, draws, physics, pictures and verdicts, and the packages that may change a result."""
    bomb = package_version(DISTRIBUTION) or "not installed"
    return {
        "python": platform.python_version(),
        "bomb": bomb,
        "draws": str(DRAWS),
        "physics": str(PHYSICS),
        "pictures": str(PICTURES),
        "verdicts": str(VERDICTS),
        **{name: package_version(name) for name in PACKAGES},
    }


def physical_versions() -> dict[str, str | None]:
    """Those of ``versions`` that decide what an engine makes of a scene."""
    found = versions()
    return {name: found[name] for name in PHYSICAL}
