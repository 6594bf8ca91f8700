"""What ``bomb doctor`` looks at. Engines are tried in child processes: a bad driver may abort one."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import requires
from typing import Any

from bomb.machine.kept_fingerprints import keep
from bomb.machine.provenance import cpu_name, device_name
from bomb.machine.versions import DISTRIBUTION, PACKAGES, package_version
from core.errors import Number, OptionError, RenderError, UnknownNameError, install_command
from core.registry import BACKENDS
from core.world.cache import cache_folder, usual_folder

OLDEST_PYTHON = (3, 11)
SYSTEM_PACKAGES = "bash scripts/system_packages.sh (as root; Mesa 25 or newer draws without a GPU)"

# What each child runs: two steps, and a picture if cameras are asked for.
TRIAL = """
import core
from core.rendering.graphics import engine_devices
cameras = {cameras!r}
env = core.make_task(backend={backend!r}, cameras=cameras, image_size=(64, 64), supersample=1)
observation, info = env.reset(seed=0)
observation, *_ = env.step(env.hold_action())
if cameras:
    picture = observation["images"]["head"]
    if picture.std() < 2:
        raise SystemExit("the picture is of one colour")
    on = engine_devices().get({backend!r}, "a device that it does not name")
    print(f"drew a {{picture.shape[1]}}x{{picture.shape[0]}} picture on {{on}}")
else:
    print("an episode begins and moves")
env.close()
"""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One check.

    Attributes:
        what: what was looked at.
        ok: whether BOMB can work with it.
        found: what is there.
        advice: what to do about it; empty if nothing.
    """

    what: str
    ok: bool
    found: str
    advice: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


# What a child runs for a fingerprint; a driver may change what others print, so it marks its answer.
FINGERPRINT = """
import json
from bomb.machine.fingerprint import compared, play, to_dict
print("fingerprint", json.dumps(to_dict(compared({backend!r}, *play({backend!r})))))
"""


PATIENCE = Number(whole=False, least=1, most=86_400, unit="seconds")  # what a renderer may be given


def examine(timeout_s: float, *, fingerprint: bool = False) -> Iterator[Finding]:
    """Every check, in an order in which each can explain the next; slow ones as they are asked for.

    Args:
        timeout_s: what each engine may take.
        fingerprint: whether each engine's fingerprint is taken, too, and kept.
    """
    yield python()
    yield from packages()
    yield extras()
    yield checker()
    yield cache()
    yield graphics_driver()
    for name in BACKENDS.names():
        yield try_backend(name, (), timeout_s)
    for name in BACKENDS.names():
        yield try_backend(name, ("head",), timeout_s)
    for name in BACKENDS.names() if fingerprint else ():
        yield take_fingerprint(name, timeout_s)


def python() -> Finding:
    """The interpreter."""
    ok = sys.version_info >= OLDEST_PYTHON
    oldest = ".".join(map(str, OLDEST_PYTHON))
    return Finding(
        what="Python",
        ok=ok,
        found=f"{sys.version.split()[0]} at {sys.executable}",
        advice="" if ok else f"install Python {oldest} or newer and run PYTHON=python{oldest} make setup",
    )


def packages() -> Iterator[Finding]:
    """The packages, against what the project pins exactly."""
    try:
        lines = requires(DISTRIBUTION) or []
        pins = {m[1]: m[2] for line in lines if (m := re.match(r"([\w.-]+)==([\w.]+)$", line))}
        yield Finding(what=DISTRIBUTION, ok=True, found=str(package_version(DISTRIBUTION)))
    except ModuleNotFoundError:
        pins = {}
        yield Finding(
            what=DISTRIBUTION,
            ok=True,
            found="used from its folder, not installed",
            advice="make setup installs it",
        )
    for name in PACKAGES:
        version, pin = package_version(name), pins.get(name)
        wanted = f"pip install {name}=={pin}" if pin else f"pip install {name}"
        ok = version is not None and pin in (None, version)
        found = version or "missing"
        yield Finding(what=name, ok=ok, found=found, advice="" if ok else f"{wanted} (or make setup)")


def extras() -> Finding:
    """What is there of what some verbs need, and how to add the rest."""
    wanted: dict[str, list[str]] = {}
    try:
        lines = requires(DISTRIBUTION) or []
    except ModuleNotFoundError:
        lines = []
    for line in lines:
        if (found := re.match(r"([\w.-]+).*\bextra == ['\"]([\w-]+)['\"]", line)) and found[2] != "test":
            wanted.setdefault(found[2], []).append(found[1])
    missing = {
        extra: [name for name in names if package_version(name) is None] for extra, names in wanted.items()
    }
    there = [extra for extra, names in missing.items() if not names]
    lacking = [f"{extra} ({', '.join(names)})" for extra, names in missing.items() if names]
    words = f"{', '.join(there) or 'none'}; not installed: {', '.join(lacking) or 'none'}"
    example = next((extra for extra, names in missing.items() if names), None)
    advice = f"if you need one: {install_command(example)}" if example else ""
    return Finding(what="extras", ok=True, found=words, advice=advice)


def checker() -> Finding:
    """The compiled checker."""
    try:
        from core.judge.checker import Tolerances

        Tolerances()
    except ImportError as error:
        return Finding(
            what="checker",
            ok=False,
            found=str(error),
            advice="make setup compiles it; it needs g++ and Python.h",
        )
    return Finding(what="checker", ok=True, found="compiled, loads")


def cache() -> Finding:
    """Where meshes are kept that are made once."""
    chosen = os.environ.get("BOMB_CACHE")
    try:
        if not chosen:
            usual, why = usual_folder()
            if why:
                advice = (
                    "set BOMB_CACHE to a folder that may be written to, or meshes are made anew elsewhere"
                )
                return Finding(
                    what="cache",
                    ok=True,
                    found=f"{usual}: {why}; {cache_folder()} takes its place",
                    advice=advice,
                )
        return Finding(what="cache", ok=True, found=str(cache_folder()))
    except OptionError as error:
        return Finding(what="cache", ok=False, found=str(error), advice="set BOMB_CACHE to another folder")


def graphics_driver() -> Finding:
    """Whether the Vulkan loader finds something to draw on; whether it draws is decided by drawing."""
    from core.rendering.devices import named_devices
    from core.rendering.graphics import find_device

    try:
        selected = find_device()
    except (OptionError, UnknownNameError) as error:  # of BOMB_RENDER
        return Finding(what="Vulkan", ok=False, found=str(error), advice="set BOMB_RENDER to one of them")
    except RenderError as error:
        return Finding(
            what="Vulkan", ok=False, found=str(error),
            advice=f"pictures need it: {SYSTEM_PACKAGES}; with a GPU but no Vulkan driver for it, set "
            "BOMB_RENDER=cpu",
        )  # fmt: skip
    chosen = os.environ.get("BOMB_RENDER")
    devices = [
        f"{name} = {device.name}" + (f" at {device.pci}" if device.pci else "")
        for name, device in named_devices().items()
    ]
    return Finding(
        what="Vulkan",
        ok=True,
        found=f"draws on {selected.name}"
        + (f", BOMB_RENDER={chosen}" if chosen else "")
        + f"; devices: {', '.join(devices)}",
    )


def try_backend(name: str, cameras: tuple[str, ...], timeout_s: float) -> Finding:
    """Plays two steps in a child process, with or without a picture."""
    what = f"{name} {'renderer' if cameras else 'physics'}"
    answer = _in_a_child(what, TRIAL.format(backend=name, cameras=cameras), bool(cameras), timeout_s)
    if isinstance(answer, Finding):
        return answer
    return Finding(what=what, ok=True, found=answer)


def take_fingerprint(name: str, timeout_s: float) -> Finding:
    """Plays the fixed episode in a child process, and keeps its fingerprint."""
    from bomb.machine.fingerprint import FAR

    what = f"{name} fingerprint"
    answer = _in_a_child(what, FINGERPRINT.format(backend=name), True, timeout_s)
    if isinstance(answer, Finding):
        return answer
    found = json.loads(answer.removeprefix("fingerprint "))
    keep(name, found, cpu=cpu_name(), device=device_name())
    states = {
        True: "as stored, bit for bit",
        False: "other than stored",
        None: "none is stored for these versions",
    }
    words = f"states {found['states'][:8]}, {states[found['same_states']]}"
    words += f"; pictures {found['pictures'][:8]}"
    if found["mean_off"] is not None:
        words += (
            f", off by {found['mean_off']:.2g} of 255 on average, and by more than {FAR} "
            f"in {found['share_off']:.2%} of a frame"
        )
    advice = ""
    if False in (found["same_states"], found["same_pictures"]):
        advice = "scores from here and from elsewhere may differ; compare those of one fingerprint"
    return Finding(what=what, ok=found["same_pictures"] is not False, found=words, advice=advice)


def _in_a_child(what: str, code: str, draws: bool, timeout_s: float) -> str | Finding:
    """The last line that ``code`` printed, or why it could not."""
    try:
        child = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=timeout_s
        )
    except subprocess.TimeoutExpired:
        thing = "picture" if draws else "answer"
        found = f"no {thing} within {timeout_s:g} s; the machine may be slow, or busy"
        advice = "try again when it is idle, or with a longer --timeout of bomb doctor or bomb demo"
        return Finding(what=what, ok=False, found=found, advice=advice)
    if child.returncode == 0:
        return child.stdout.strip().splitlines()[-1]
    lines = [line for line in child.stderr.splitlines() if line.strip()]
    last = lines[-1].strip() if lines else f"ended by signal {-child.returncode}"
    last = last.removeprefix("core.errors.RenderError: ")  # the reader wants the words, not the class
    return Finding(what=what, ok=False, found=last, advice=_advice(draws))


def _advice(draws: bool) -> str:
    if not draws:
        return "make setup installs the engine that is pinned"
    driver = graphics_driver()
    if driver.ok:
        return "a driver is there; with a GPU whose driver lacks Vulkan, set BOMB_RENDER=cpu"
    return driver.advice
