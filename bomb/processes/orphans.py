"""Processes that do not outlive the one that started them."""

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent() -> None:
    """Ends this process when the one that started it ends, however that ends; leaves Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A thread that waits for the parent works on every system; on Linux the kernel also ends a process
    # that never comes back out of an extension.
    threading.Thread(target=_wait_for_parent, daemon=True).start()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def in_a_group_of_its_own() -> None:
    """What this process starts belongs to it: ``end_group`` ends all, a signal to its group stays in it."""
    with suppress(OSError):
        os.setpgid(0, 0)


def end_group(process: BaseProcess) -> None:
    """Ends a process that is ``in_a_group_of_its_own`` and what it has started, and waits for it."""
    if process.pid is not None and process.pid != os.getpgrp():
        with suppress(OSError):  # gone already, or not in its group yet
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Processes that are started inside are born deaf to Ctrl-C."""
    # A blocked signal is inherited and stays blocked; here it waits and is not lost.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def ending(exitcode: int | None) -> str:
    """How a process ended, in words."""
    if exitcode is not None and exitcode < 0:
        with suppress(ValueError):
            return f"was ended by {signal.Signals(-exitcode).name}"
        return f"was ended by signal {-exitcode}"
    return f"ended with status {exitcode}"


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
