"""Which device is drawn on: by name, alone while a renderer starts, and no other without a word."""

import os

import pytest

from core.errors import OptionError, RenderError, UnknownNameError
from core.rendering import devices, graphics
from core.rendering.devices import Device, DeviceType
from core.settings import EnvironmentSettings

SOFTWARE = Device(DeviceType.CPU, "llvmpipe 1", 0x10005, 0)
OTHER = Device(DeviceType.DISCRETE_GPU, "Other 3", 0x1002, 0x73BF, "0000:0b:00.0")
SECOND = Device(DeviceType.DISCRETE_GPU, "Card 2", 0x10DE, 0x2235, "0000:65:00.0")
FIRST = SECOND._replace(pci="0000:17:00.0")
MACHINE = (SECOND, OTHER, FIRST, SOFTWARE)  # the loader's order is not the bus's
NAMED = {"gpu:0": OTHER, "gpu:1": FIRST, "gpu:2": SECOND}


@pytest.fixture
def machine(monkeypatch):
    """A machine with three GPUs whose loader has Mesa's layer, which reads the environment as Mesa does."""

    def loader() -> tuple[Device, ...]:
        model, place = os.environ.get("MESA_VK_DEVICE_SELECT"), os.environ.get("DRI_PRIME")
        for device in MACHINE:
            tag = "pci-" + (device.pci or "").replace(":", "_").replace(".", "_") + "!"
            if model == f"{device.vendor:x}:{device.model:x}!" or (model is None and place == tag):
                return (device,)
        return MACHINE

    for module in (devices, graphics):
        monkeypatch.setattr(module, "vulkan_devices", lambda: MACHINE)
    monkeypatch.setattr(graphics, "ask_loader", loader)
    for name in ("BOMB_RENDER", "MESA_VK_DEVICE_SELECT", "DRI_PRIME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(graphics, "_selected", None)
    monkeypatch.setattr(graphics, "_taken", {})
    return loader


@pytest.mark.parametrize("name", NAMED)
def test_a_renderer_that_starts_finds_the_chosen_gpu_alone(machine, name):
    before = dict(os.environ)
    assert graphics.find_device(name) == graphics.select_device(name) == NAMED[name]
    with graphics.selected_device() as device:
        assert device == NAMED[name] and machine() == (device,)
    assert machine() == MACHINE and dict(os.environ) == before


def test_what_is_set_for_other_programs_does_not_choose_another_card(machine, monkeypatch):
    monkeypatch.setenv("MESA_VK_DEVICE_SELECT", "1002:73bf!")
    assert graphics.select_device("gpu:1") == FIRST
    with graphics.selected_device():
        assert machine() == (FIRST,)
    assert os.environ["MESA_VK_DEVICE_SELECT"] == "1002:73bf!"


def test_by_default_nothing_is_set_and_the_environment_may_choose(machine, monkeypatch):
    assert graphics.select_device() == SECOND
    with graphics.selected_device():
        assert machine() == MACHINE
    monkeypatch.setattr(graphics, "_selected", None)
    monkeypatch.setenv("BOMB_RENDER", "gpu:0")
    assert graphics.select_device() == OTHER
    monkeypatch.setenv("BOMB_RENDER", "fast")
    with pytest.raises(OptionError, match="BOMB_RENDER must be auto, cpu, or gpu:0"):
        graphics.find_device()


def test_an_unknown_device_is_refused_with_those_there_are(machine):
    with pytest.raises(UnknownNameError, match="'gpu:3'; valid: cpu, gpu:0, gpu:1, gpu:2"):
        graphics.select_device("gpu:3")
    for name in ("cuda:0", "gpu:", "GPU:0", 0, "gpu:0 "):
        with pytest.raises(OptionError, match="device must be auto, cpu, or gpu:0"):
            EnvironmentSettings(backend="mujoco", device=name)


def test_a_process_draws_on_one_device(machine):
    graphics.select_device("gpu:2")
    assert graphics.select_device() == graphics.select_device("gpu:2") == SECOND
    with pytest.raises(OptionError, match="a process draws on one device"):
        graphics.select_device("gpu:0")


def test_a_card_that_cannot_be_singled_out_is_refused(machine, monkeypatch):
    monkeypatch.setattr(graphics, "ask_loader", lambda: MACHINE)  # without the layer
    for name in NAMED:
        with pytest.raises(RenderError, match=rf"{name} .* cannot be singled out among 4 .* mesa-vulkan"):
            graphics.find_device(name)
    twins = (FIRST._replace(pci=None), SECOND._replace(pci=None))
    for module in (devices, graphics):
        monkeypatch.setattr(module, "vulkan_devices", lambda: twins)
    with pytest.raises(RenderError, match="neither has a place on a bus"):
        graphics.find_device("gpu:1")


def test_an_engine_that_draws_elsewhere_is_caught(machine):
    graphics.select_device("gpu:1")
    graphics.engine_took("one", "Card")
    graphics.engine_took("two", "Card", "0000:17:00.0")
    assert graphics.engine_devices() == {"one": "Card", "two": "Card at 0000:17:00.0"}
    for name, pci in (("Other", None), ("Card", "0000:65:00.0")):
        with pytest.raises(RenderError, match="though Card 2 was selected"):
            graphics.engine_took("one", name, pci)
