"""One world in each engine that every perturbation is shown in; made once: that is what takes time."""

import pytest

from bomb.pictures.gallery import Studio, levels_of
from core.perturbations import KNOBS
from core.perturbations.base import Touches
from core.world.stage import CAMERAS
from tests.conftest import BACKENDS

SEED = 4


def of(*kinds: Touches) -> list[str]:
    """Names of the knobs that touch one of these."""
    return [name for name, knob in KNOBS.items() if knob.touches in kinds]


def graded(*kinds: Touches) -> list[str]:
    """Those of them that have severities."""
    return [name for name in of(*kinds) if not KNOBS[name].sets]


def highest(name: str):
    """Severity 5, or the last set."""
    return levels_of(KNOBS[name])[-1]


def middle(name: str):
    """Severity 3, or the last set."""
    return highest(name) if KNOBS[name].sets else 3


@pytest.fixture(scope="session")
def studios():
    """By engine and side of the pictures; closed at the end."""
    made: dict[tuple[str, int], Studio] = {}

    def get(backend: str, size: int) -> Studio:
        if (backend, size) not in made:
            made[backend, size] = Studio(backend, cameras=tuple(CAMERAS), image_size=(size, size))
        return made[backend, size]

    yield get
    for studio in made.values():
        studio.close()


@pytest.fixture(params=BACKENDS)
def studio(request, studios) -> Studio:
    """96 x 96 pixels."""
    return studios(request.param, 96)


@pytest.fixture(params=BACKENDS)
def sharp(request, studios) -> Studio:
    """256 x 256 pixels."""
    return studios(request.param, 256)
