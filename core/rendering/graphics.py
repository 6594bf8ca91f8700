"""Which graphics device pictures are drawn on, decided before an engine touches it.

Both engines draw with Vulkan and end the process where it is missing, so the question is put to the Vulkan
loader directly. Neither engine is told a device: while its renderer starts, the loader shows it no other.
``BOMB_RENDER`` names the device where the option ``device`` does not: ``cpu`` is Mesa's software driver
(lavapipe), for machines that have a GPU but no Vulkan driver for it.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from core.errors import OptionError, RenderError, UnknownNameError
from core.rendering.devices import (
    CPU,
    Device,
    DeviceType,
    ask_loader,
    environment,
    named_devices,
    vulkan_devices,
)

AUTO = "auto"
_ICD_FOLDERS = ("/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d")
_HELP = (
    "install one with `make setup` (Debian, Ubuntu: mesa-vulkan-drivers 25 or newer, and libvulkan1); "
    "cameras=() works without"
)
_NAME = re.compile(rf"{AUTO}|{CPU}|gpu:[0-9]{{1,3}}")


class Selection(NamedTuple):
    """A device, and how it is singled out.

    Attributes:
        device: what is drawn on.
        variables: environment variables that make the loader show it alone; None removes one. Empty where
            the loader's own order is left as it is.
    """

    device: Device
    variables: dict[str, str | None]


_selected: Selection | None = None  # of this process
_taken: dict[str, str] = {}  # by engine: the device that it says it draws on


def check_device(name: str | None) -> None:
    """Returns if this may be the name of a device; whether there is such a one is found out by drawing.

    Raises:
        OptionError: if not.
    """
    if name is not None and not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise OptionError(f"device must be auto, cpu, or gpu:0, gpu:1, ..., got {name!r}")


def find_device(name: str | None = None) -> Device:
    """The device of that name; nothing is selected.

    Args:
        name: ``cpu``, ``gpu:N`` or ``auto``; None is what ``BOMB_RENDER`` says, else ``auto``: the first GPU,
            else the processor.

    Raises:
        RenderError: if no Vulkan driver works, or if several devices cannot be told apart.
        UnknownNameError: if there is no such device, listing those that there are.
        OptionError: if it cannot be the name of a device, or ``BOMB_RENDER`` is not.
    """
    return _selection(name).device


def select_device(name: str | None = None) -> Device:
    """Selects what this process draws on, and returns it.

    Called before an engine's renderer starts, and only when there are cameras.

    Args:
        name: as in ``find_device``; None, too, is the device that the process draws on already.

    Raises:
        RenderError, UnknownNameError: as ``find_device``.
        OptionError: as ``find_device``; or if the process draws on another device already.
    """
    global _selected
    if _selected is None:
        _selected = _selection(name)
    elif name is not None and (device := find_device(name)) != _selected.device:
        raise OptionError(
            f"this process draws on {_selected.device.name} and cannot change to device {name!r} "
            f"({device.name}): a process draws on one device, so start another one"
        )
    return _selected.device


@contextmanager
def selected_device() -> Iterator[Device]:
    """As ``select_device``; while it is open, a renderer that starts finds this device alone.

    Other processes that are started later are not affected: each selects for itself.
    """
    device = select_device()
    with environment(_selected.variables if _selected else {}):
        yield device


def engine_took(engine: str, name: str, pci: str | None = None) -> None:
    """Notes what an engine says it draws on.

    Args:
        engine: its name.
        name: of the device, as Vulkan has it.
        pci: its address; None if the engine does not say it.

    Raises:
        RenderError: if another device was asked for.
    """
    _taken[engine] = name if pci is None else f"{name} at {pci}"
    if _selected is None or not _selected.variables:
        return
    device = _selected.device
    other_place = pci is not None and device.pci is not None and pci.lower() != device.pci
    if other_place or not device.name.startswith(name):
        raise RenderError(f"{engine} draws on {_taken[engine]}, though {device.name} was selected")


def engine_devices() -> dict[str, str]:
    """By engine that has started its renderer in this process: the device that it says it draws on."""
    return dict(_taken)


def _selection(name: str | None) -> Selection:
    check_device(name)
    wanted = name or os.environ.get("BOMB_RENDER") or AUTO
    if not _NAME.fullmatch(wanted):
        raise OptionError(f"BOMB_RENDER must be auto, cpu, or gpu:0, gpu:1, ..., got {wanted!r}")
    if wanted == CPU:
        return _software()
    devices = vulkan_devices()
    if not devices:
        raise RenderError(f"no Vulkan driver works on this machine: {_HELP}")
    if wanted == AUTO:
        gpus = [device for device in devices if device.is_gpu]
        return Selection(gpus[0] if gpus else devices[0], {})
    named = named_devices()
    if wanted not in named:
        raise UnknownNameError("graphics device", wanted, named)
    return _singled_out(wanted, named[wanted], devices)


def _software() -> Selection:
    """Mesa's software driver, alone: others are not even loaded."""
    drivers = [file for folder in _ICD_FOLDERS for file in sorted(Path(folder).glob("lvp_icd*.json"))]
    if not drivers:
        raise RenderError(f"drawing on the cpu needs Mesa's software Vulkan driver: {_HELP}")
    # The loader reads the second name before its version 1.3.207 and the first one since.
    variables: dict[str, str | None] = dict.fromkeys(("VK_DRIVER_FILES", "VK_ICD_FILENAMES"), str(drivers[0]))
    with environment(variables):
        devices = [device for device in ask_loader() if device.kind is DeviceType.CPU]
    if not devices:
        raise RenderError(f"Mesa's software Vulkan driver ({drivers[0]}) does not work: {_HELP}")
    return Selection(devices[0], variables)


def _singled_out(name: str, device: Device, devices: tuple[Device, ...]) -> Selection:
    """One of several devices, by means of Mesa's layer, which hides the others of every driver."""
    if len(devices) == 1:
        return Selection(device, {})
    like = [other for other in devices if (other.vendor, other.model) == (device.vendor, device.model)]
    variables: dict[str, str | None]
    if len(like) == 1:
        variables = {"MESA_VK_DEVICE_SELECT": f"{device.vendor:x}:{device.model:x}!", "DRI_PRIME": None}
    elif device.pci is not None:
        place = re.sub("[:.]", "_", device.pci)
        variables = {"MESA_VK_DEVICE_SELECT": None, "DRI_PRIME": f"pci-{place}!"}
    else:
        raise RenderError(f"{name} cannot be told from another {device.name}: neither has a place on a bus")
    with environment(variables):
        left = ask_loader()
    if left != (device,):
        raise RenderError(
            f"{name} ({device.name}) cannot be singled out among {len(devices)} devices: Mesa's device "
            "select layer does not work here (Debian, Ubuntu: mesa-vulkan-drivers)"
        )
    return Selection(device, variables)
