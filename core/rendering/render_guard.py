"""Keeps renderers in the process and thread that made them.

Both engines' renderers hang or abort the process when a forked child or a second thread touches them.
"""

import os
import threading

from core.errors import RenderError


class RenderGuard:
    """Remembers who made a renderer; ``check`` raises for everybody else."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._thread = threading.get_ident()

    @property
    def inherited(self) -> bool:
        """Whether this process was forked from the one that made the renderer."""
        return os.getpid() != self._process

    def check(self) -> None:
        """Returns if the caller may render.

        Raises:
            RenderError: in a forked child or in another thread, before the engine is touched.
        """
        if self.inherited:
            raise RenderError(
                f"this renderer belongs to process {self._process}, from which {os.getpid()} was forked; "
                "renderers do not survive a fork: make the environment in the child, or use "
                'multiprocessing\'s "spawn" (bomb.make_vec does)'
            )
        if threading.get_ident() != self._thread:
            raise RenderError(
                "this environment renders only in the thread that made it; make one environment per thread"
            )
