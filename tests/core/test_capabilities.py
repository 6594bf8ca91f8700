"""What a backend cannot do is refused when it is asked for: pictures by ``make_task``, forces when read."""

import pytest

import core
from core.errors import CapabilityError
from core.registry import BACKENDS

PHYSICS = BACKENDS.load(BACKENDS.names()[0])
PICTURES = {name: core.Capability(name) for name in ("rgb", "depth", "segmentation")}


class NoRgb(PHYSICS):
    capabilities = PHYSICS.capabilities - {core.Capability.RGB}


class NoDepth(PHYSICS):
    capabilities = PHYSICS.capabilities - {core.Capability.DEPTH}


class NoSegmentation(PHYSICS):
    capabilities = PHYSICS.capabilities - {core.Capability.SEGMENTATION}


class NoForces(PHYSICS):
    capabilities = PHYSICS.capabilities - {core.Capability.CONTACT_FORCES}


LACKING = {"rgb": NoRgb, "depth": NoDepth, "segmentation": NoSegmentation}


@pytest.mark.parametrize("missing", PICTURES)
def test_pictures_that_a_backend_cannot_draw_are_refused_by_make_task(missing):
    others = tuple(name for name in PICTURES if name != missing)
    with BACKENDS.temporarily({"lacking": f"{__name__}:{LACKING[missing].__name__}"}):
        for cameras, modalities in ((("head",), (missing,)), (("head", "wrist"), tuple(PICTURES))):
            with pytest.raises(CapabilityError, match=f"the pictures that are asked for.*{missing}"):
                core.make_task("place_stone", backend="lacking", cameras=cameras, modalities=modalities)
        for cameras, modalities in (((), (missing,)), (("head",), others)):  # nothing of it is asked for
            core.make_task("place_stone", backend="lacking", cameras=cameras, modalities=modalities).close()


def test_forces_that_a_backend_cannot_tell_are_refused():
    with (
        BACKENDS.temporarily({"lacking": f"{__name__}:NoForces"}),
        core.make_task("place_stone", backend="lacking", cameras=()) as env,
    ):
        env.reset(seed=0)
        with pytest.raises(CapabilityError, match="contact forces"):
            env.contact_forces()
