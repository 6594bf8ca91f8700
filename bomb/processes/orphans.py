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
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # A thread that waits for the parent works on every system; on Linux the kernel also ends a process
    # that never comes back out of an extension.
    threading.Thread(target=_wait_for_parent, daemon=True).start()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class Terminated(KeyboardInterrupt):
    """SIGTERM, which ends a program as Ctrl-C does: what it started is ended, what is finished is kept."""


_starting = 0  # processes that are being started: who is interrupted in between leaves half of one
_waiting: list[type[BaseException]] = []  # interruptions that have come meanwhile


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Inside, SIGTERM raises ``Terminated`` in the main thread, and neither it nor Ctrl-C comes amiss."""

    def come(number: int, frame: object) -> None:
        kind = Terminated if number == signal.SIGTERM else KeyboardInterrupt
        if not _starting:
            raise kind
        _waiting.append(kind)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # Ctrl-C stays ignored where it is, as in what a shell runs in the background.
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    numbers = [signal.SIGTERM] if ignored else [signal.SIGTERM, signal.SIGINT]
    before = {number: signal.signal(number, come) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)


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
    """Processes that are started inside are born deaf to Ctrl-C, and whole: what comes meanwhile waits."""
    global _starting
    # A blocked signal is inherited and stays blocked; here it waits and is not lost.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    _starting += 1
    try:
        yield
    finally:
        _starting -= 1
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if _waiting and not _starting:
            raise _waiting.pop()


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
