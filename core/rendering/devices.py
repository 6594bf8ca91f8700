"""The graphics devices that the Vulkan loader finds, asked without an engine."""

import ctypes
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

CPU = "cpu"
_UNKNOWN = 0xFFFFFFFF  # stands in the bus address of a device that has none
_PROPERTIES_2, _PCI_BUS_INFO = 1000059001, 1000212000  # VkStructureType
_VULKAN_1_1 = 1 << 22 | 1 << 12


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
        vendor, model: PCI numbers of its maker and its model; two cards of one kind share them.
        pci: address on the bus, ``0000:65:00.0``; None for a device that is on none.
    """

    kind: DeviceType
    name: str
    vendor: int = 0
    model: int = 0
    pci: str | None = None

    @property
    def is_gpu(self) -> bool:
        """Whether it is hardware."""
        return self.kind not in (DeviceType.CPU, DeviceType.OTHER)


def named_devices() -> dict[str, Device]:
    """What ``device`` may be: ``gpu:0``, ``gpu:1``, ... in the order of their addresses on the bus, and
    ``cpu``, which draws in software. Empty where no driver works.
    """
    devices = vulkan_devices()
    gpus = sorted((device for device in devices if device.is_gpu), key=lambda device: device.pci or "~")
    named = {f"gpu:{number}": device for number, device in enumerate(gpus)}
    software = [device for device in devices if device.kind is DeviceType.CPU]
    return {**named, **({CPU: software[0]} if software else {})}


@lru_cache(maxsize=1)
def vulkan_devices() -> tuple[Device, ...]:
    """Every device; asked once in a process, as starting each driver takes a while."""
    return ask_loader()


def ask_loader() -> tuple[Device, ...]:
    """The devices that the Vulkan loader finds in this environment; none without a loader or a driver."""
    try:
        vulkan = ctypes.CDLL("libvulkan.so.1")
    except OSError:
        return ()
    # VkApplicationInfo and VkInstanceCreateInfo: every field is zero but the type, the version, the link.
    application = (ctypes.c_uint64 * 6)(0, 0, 0, 0, 0, _VULKAN_1_1 << 32)
    info = (ctypes.c_uint64 * 8)(1, 0, 0, ctypes.addressof(application))
    instance = ctypes.c_void_p()
    with quiet():
        if vulkan.vkCreateInstance(info, None, ctypes.byref(instance)) != 0:
            return ()
        try:
            count = ctypes.c_uint32(0)
            vulkan.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), None)
            handles = (ctypes.c_void_p * count.value)()
            vulkan.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), handles)
            return tuple(_described(vulkan, handle) for handle in handles[: count.value])
        finally:
            vulkan.vkDestroyInstance(instance, None)


def _described(vulkan: ctypes.CDLL, handle: int | None) -> Device:
    """What one device says of itself."""
    # VkPhysicalDevicePCIBusInfoPropertiesEXT: type, link, then domain, bus, device and function.
    bus = (ctypes.c_uint32 * 8)(_PCI_BUS_INFO, 0, 0, 0, *[_UNKNOWN] * 4)
    # VkPhysicalDeviceProperties2: type and link (16 bytes), then VkPhysicalDeviceProperties, 824 bytes.
    # Of its 32-bit words the second is the driver's version, then come vendor, model and type, and the name.
    answer = (ctypes.c_uint64 * 256)(_PROPERTIES_2, ctypes.addressof(bus))
    vulkan.vkGetPhysicalDeviceProperties2(ctypes.c_void_p(handle), answer)
    properties = (ctypes.c_uint32 * 5).from_buffer(answer, 16)
    name = ctypes.string_at(ctypes.addressof(answer) + 16 + 20, 256).partition(b"\0")[0]
    kind = DeviceType(min(properties[4], DeviceType.CPU))
    domain, number, slot, function = bus[4:]
    nowhere = domain == _UNKNOWN or kind is DeviceType.CPU  # lavapipe answers with zeros
    return Device(
        kind=kind,
        name=f"{name.decode(errors='replace')} {properties[1]}",
        vendor=properties[2],
        model=properties[3],
        pci=None if nowhere else f"{domain:04x}:{number:02x}:{slot:02x}.{function:x}",
    )


@contextmanager
def environment(changes: Mapping[str, str | None]) -> Iterator[None]:
    """Sets environment variables (None: removes them) for as long as it is open."""
    before = {name: os.environ.get(name) for name in changes}
    _set(changes)
    try:
        yield
    finally:
        _set(before)


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextmanager
def quiet() -> Iterator[Callable[[], str]]:
    """Keeps what libraries write to standard output and error past Python out of the terminal.

    Yields:
        A function that returns what they have written so far.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):  # a replaced or closed stream
            stream.flush()
    saved = [os.dup(1), os.dup(2)]
    with tempfile.TemporaryFile() as kept:

        def said() -> str:
            ctypes.CDLL(None).fflush(None)
            kept.seek(0)
            return kept.read().decode(errors="replace")

        try:
            os.dup2(kept.fileno(), 1)
            os.dup2(kept.fileno(), 2)
            yield said
        finally:
            for number, copy in zip((1, 2), saved, strict=True):
                os.dup2(copy, number)
                os.close(copy)
