"""Ways past the referee, for tests, for benchmarks, and for finding out why an episode went as it did."""

from collections.abc import Callable
from dataclasses import dataclass

from core.backend import Backend
from core.control.actions import Point
from core.episode.simulation import Simulation
from core.errors import LifecycleError
from core.world.state import SceneState


@dataclass(frozen=True, kw_only=True, eq=False)
class DebugHandle:
    """What ``Environment.debug`` gives. Nothing that is scored may use it.

    The judge is not told of what is done through ``backend``: after ``write_state``, say, the environment
    still tells of the world before, until the next step.

    Attributes:
        backend: the engine.
        simulation: the present episode; None before the first reset.
        restart: begins the present episode again, with the world in another state.
    """

    backend: Backend
    simulation: Simulation | None
    restart: Callable[[SceneState], None]

    @property
    def target(self) -> Point:
        """Where the tool centre point is commanded to be, (x, y, z) in R (m).

        Raises:
            LifecycleError: before the first reset.
        """
        if self.simulation is None:
            raise LifecycleError("no episode has begun, so nothing is commanded; call reset first")
        return self.simulation.controller.state.target
