"""Pictures of an episode, drawn for those who may ask for them."""

from core.backend import Backend, CameraImage, Capability
from core.errors import RenderError, check_choice
from core.perturbations.suite import Suite
from core.rendering.observation import PICTURES
from core.rendering.render_guard import RenderGuard
from core.task import Episode


class Viewer:
    """Draws what the cameras of an environment see, in the process and thread that made it.

    Args:
        backend: draws.
        suite: develops each picture, as the episode's knobs have it.
        cameras: which may be asked for; without any, nothing is drawn and anybody may call.
    """

    def __init__(self, backend: Backend, suite: Suite, cameras: tuple[str, ...]):
        self._backend, self._suite, self._cameras = backend, suite, cameras
        self._guard = RenderGuard() if cameras else None

    @property
    def inherited(self) -> bool:
        """Whether there is a renderer, and this process was forked from the one that made it."""
        return self._guard is not None and self._guard.inherited

    def check(self) -> None:
        """Returns if the caller may touch the engine.

        Raises:
            RenderError: if a renderer belongs to another process or thread.
        """
        if self._guard is not None:
            self._guard.check()

    def check_asked(self, camera: str, modalities: tuple[str, ...]) -> None:
        """Returns if such a picture can be drawn here.

        Raises:
            RenderError: in a forked child or another thread, or if the environment lacks the camera.
            UnknownNameError: for a kind of picture that does not exist.
            CapabilityError: for one that the backend does not have.
        """
        if camera not in self._cameras:
            raise RenderError(f"no camera {camera!r} in this environment; it has {self._cameras}")
        for name in modalities:
            check_choice("kind of picture", name, PICTURES)
        self._backend.require(map(Capability, modalities), "these pictures")
        self.check()

    def draw(self, episode: Episode, period: int, camera: str, modalities: tuple[str, ...]) -> CameraImage:
        """The present state from a camera.

        Args:
            episode: whose knobs develop the picture.
            period: control periods since reset, which noise depends on.
            camera, modalities: what was asked for and checked.
        """
        image = self._backend.render(camera, modalities)
        return self._suite.develop(episode, camera, period, image)
