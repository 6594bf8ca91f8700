"""A backend that declares less is asked for less, or refused when the environment is made."""

import pytest

import core
from core.registry import BACKENDS, TASKS
from tests.conftest import BACKENDS as NAMES

PICTURES = (core.Capability.RGB, core.Capability.DEPTH, core.Capability.SEGMENTATION)


@pytest.fixture
def without(backend, monkeypatch):
    """Registers the backend as it is, but for a capability that it does not declare."""

    def register(missing: core.Capability) -> str:
        name = f"{backend}_without_{missing.value}"
        less = frozenset(core.Capability) - {missing}
        kind = type("Less", (BACKENDS.load(backend),), {"name": name, "capabilities": less})
        monkeypatch.setitem(globals(), name, kind)
        BACKENDS.register(name, f"{__name__}:{name}")
        return name

    with BACKENDS.temporarily():
        yield register


@pytest.mark.parametrize("missing", PICTURES, ids=lambda capability: capability.value)
def test_a_modality_that_is_missing_is_refused_when_the_environment_is_made(without, missing):
    name = without(missing)
    with pytest.raises(core.CapabilityError, match=f"'{name}' cannot do .*pictures.* no {missing.value};"):
        core.make_task(backend=name, cameras=("head",), modalities=("rgb", "depth", "segmentation"))
    # Without cameras nothing is drawn, so nothing is missing.
    core.make_task(backend=name, cameras=(), modalities=("rgb", "depth", "segmentation")).close()


@pytest.mark.render
def test_what_is_there_is_drawn_and_what_is_not_is_refused(without):
    name = without(core.Capability.SEGMENTATION)
    with core.make_task(backend=name, image_size=(32, 32), split="ci") as env:
        observation, _ = env.reset(seed=0)
        assert observation["images"]["head"].shape == (32, 32, 3)
        with pytest.raises(core.CapabilityError, match="no segmentation"):
            env.render_camera("head", ("segmentation",))
        with pytest.raises(core.UnknownNameError, match="unknown kind of picture 'normals'"):
            env.render_camera("head", ("normals",))


def test_contact_forces_are_refused_where_they_are_asked_for(without):
    name = without(core.Capability.CONTACT_FORCES)
    with core.make_task(backend=name, cameras=(), split="ci") as env:
        env.reset(seed=0)
        with pytest.raises(core.CapabilityError, match="no contact_forces"):
            env.contact_forces()
    needy = type("Needy", (TASKS.load("place_stone"),), {"capabilities": {core.Capability.CONTACT_FORCES}})
    with pytest.raises(core.CapabilityError, match=r"task 'place_stone'.* no contact_forces"):
        core.make_task(needy(), backend=name, cameras=())
    core.make_task(needy(), backend=NAMES[0], cameras=()).close()
