"""Where a result comes from: the machine, and the state of the sources."""

import os
import platform
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

from bomb.machine.kept_fingerprints import kept_fingerprint


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def hardware(renders: bool, *, device: str | None = None) -> dict[str, Any]:
    """The machine, as plain values.

    Args:
        renders: whether pictures are drawn; ``renderer`` is None otherwise, and pictures are missing from
            ``fingerprint``, which is None where ``bomb doctor --fingerprint`` did not take one.
        device: what is drawn on, as ``core.make_task`` takes it.

    Raises:
        RenderError: if pictures are to be drawn and no graphics driver works.
        UnknownNameError, OptionError: if pictures are to be drawn and there is no such device.
    """
    drawn_on = device_name(device) if renders else None
    return {
        "host": platform.node(),
        "system": platform.platform(),
        "cpu": cpu_name(),
        "cores": cores(),
        "memory_gb": _memory_gb(),
        "renderer": renderer_name(device) if renders else None,
        "graphics_device": drawn_on,
        "fingerprint": kept_fingerprint(cpu=cpu_name(), device=drawn_on),
    }


def device_name(device: str | None = None) -> str:
    """The graphics device and its driver's version.

    Args:
        device: its name, as ``core.make_task`` takes it.

    Raises:
        RenderError: if no graphics driver works.
        UnknownNameError, OptionError: if there is no such device.
    """
    from core.rendering.graphics import find_device

    return find_device(device).name


def renderer_name(device: str | None = None) -> str:
    """What pictures are drawn on, for example ``"software (cpu)"`` or ``"discrete gpu"``.

    Raises:
        RenderError, UnknownNameError, OptionError: as ``device_name``.
    """
    from core.rendering.devices import DeviceType
    from core.rendering.graphics import find_device

    kind = find_device(device).kind
    return "software (cpu)" if kind == DeviceType.CPU else kind.name.replace("_", " ").lower()


@lru_cache(maxsize=1)
def cpu_name() -> str:
    """The processor's model."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


@lru_cache(maxsize=1)
def git_state() -> dict[str, Any] | None:
    """Commit of the sources that run, and whether they were changed since; None outside of a checkout."""
    folder = Path(__file__).resolve().parent
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        # A checkout of something else around an installed BOMB says nothing about it.
        if not _git(folder, "ls-files", "--", Path(__file__).name):
            return None
        return {"commit": commit, "changed": bool(_git(folder, "status", "--porcelain", "-uno"))}
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *words: str) -> str:
    answer = subprocess.run(
        ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=20, check=True
    )
    return answer.stdout.strip()


def _memory_gb() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (ValueError, OSError):
        return None
