"""Which graphics driver pictures are made with, asked before an engine touches it.

Both engines draw with Vulkan and end the process where it is missing, so the question is put to the
Vulkan loader directly. ``BOMB_RENDER=cpu`` selects Mesa's software driver (lavapipe), for machines that
have a GPU but no Vulkan driver for it.
"""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from core.errors import OptionError, RenderError

_ICD_FOLDERS = ("/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d")
_HELP = (
    "install one with `make setup` (Debian, Ubuntu: mesa-vulkan-drivers 25 or newer, and libvulkan1); "
    "cameras=() works without"
)


class DeviceType(IntEnum):
    """Vulkan's kinds of device (VkPhysicalDeviceType)."""

    OTHER = 0
    INTEGRATED_GPU = 1
    DISCRETE_GPU = 2
    VIRTUAL_GPU = 3
    CPU = 4


class Device(NamedTuple):
    """What a driver draws on.

    Attributes:
        kind: of device.
        name: of the device and version of its driver, such as ``llvmpipe (LLVM 19.1.7, 256 bits) 6553607``.
    """

    kind: DeviceType
    name: str


def select_driver() -> DeviceType:
    """Selects the driver for this process and returns what it draws on; see ``select_device``."""
    return select_device().kind


@lru_cache(maxsize=1)
def select_device() -> Device:
    """Selects the driver for this process and returns the device that it draws on.

    Called before an engine's renderer starts, and only when there are cameras.

    Raises:
        RenderError: if no Vulkan driver works.
        OptionError: if ``BOMB_RENDER`` is neither empty, ``auto`` nor ``cpu``.
    """
    wanted = os.environ.get("BOMB_RENDER", "")
    if wanted not in ("", "auto", "cpu"):
        raise OptionError(f"BOMB_RENDER must be auto or cpu, got {wanted!r}")
    if wanted == "cpu":
        drivers = [file for folder in _ICD_FOLDERS for file in sorted(Path(folder).glob("lvp_icd*.json"))]
        if not drivers:
            raise RenderError(f"BOMB_RENDER=cpu needs Mesa's software Vulkan driver: {_HELP}")
        # The loader reads the second name before its version 1.3.207 and the first one since.
        os.environ["VK_DRIVER_FILES"] = os.environ["VK_ICD_FILENAMES"] = str(drivers[0])
    devices = _vulkan_devices()
    if not devices:
        raise RenderError(f"no Vulkan driver works on this machine: {_HELP}")
    hardware = [device for device in devices if device.kind not in (DeviceType.CPU, DeviceType.OTHER)]
    return hardware[0] if hardware else devices[0]


def _vulkan_devices() -> list[Device]:
    """The devices the Vulkan loader finds; none where there is no loader or no driver."""
    try:
        vulkan = ctypes.CDLL("libvulkan.so.1")
    except OSError:
        return []
    # VkInstanceCreateInfo with every field zero but its type (1).
    info = (ctypes.c_uint64 * 8)(1)
    instance = ctypes.c_void_p()
    with quiet():
        if vulkan.vkCreateInstance(info, None, ctypes.byref(instance)) != 0:
            return []
        try:
            count = ctypes.c_uint32(0)
            vulkan.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), None)
            handles = (ctypes.c_void_p * count.value)()
            vulkan.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), handles)
            devices = []
            for handle in handles:
                # VkPhysicalDeviceProperties: 824 bytes. Of its 32-bit words the second is the driver's
                # version and the fifth the device's type; then comes its name.
                properties = (ctypes.c_uint32 * 512)()
                vulkan.vkGetPhysicalDeviceProperties(ctypes.c_void_p(handle), properties)
                name = ctypes.string_at(ctypes.addressof(properties) + 20, 256).partition(b"\0")[0]
                kind = DeviceType(min(properties[4], DeviceType.CPU))
                devices.append(Device(kind, f"{name.decode(errors='replace')} {properties[1]}"))
            return devices
        finally:
            vulkan.vkDestroyInstance(instance, None)


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps what libraries write to standard output and error past Python out of the terminal."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):  # a replaced or closed stream
            stream.flush()
    saved = [os.dup(1), os.dup(2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        yield
    finally:
        for number, copy in zip((1, 2), saved, strict=True):
            os.dup2(copy, number)
            os.close(copy)
        os.close(nowhere)
