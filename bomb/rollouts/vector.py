"""Several environments at once, with the settings under which gymnasium loses nothing."""

from functools import partial
from typing import Any

from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv, VectorEnv

import core
from bomb.processes.main_program import UNGUARDED_WORDS, check_main_program
from core.errors import OptionError, check_integer
from core.registry import register_again, registrations


def make_vec(n: int, *, backend: str, asynchronous: bool = False, **options: object) -> VectorEnv:
    """``n`` environments behind gymnasium's vector interface.

    Args:
        n: how many.
        backend: out of ``core.list_backends()``.
        asynchronous: each in a process of its own. Renderers do not survive a fork, so processes are
            spawned (guard scripts with ``if __name__ == "__main__"``), and gymnasium's shared memory
            loses text, so observations travel by pipe.
        options: arguments of ``core.make_task``.

    Raises:
        OptionError: if ``n`` is not a positive integer, or processes cannot read this program.
        UnknownNameError: for an unknown task, backend or option.
    """
    make = partial(_made, registrations(), backend=backend, **options)
    makers = [make] * check_integer("n", n, least=1)
    if asynchronous:
        check_main_program()
        try:
            return AsyncVectorEnv(makers, shared_memory=False, context="spawn")
        except (EOFError, ConnectionError) as error:  # it died before it could say anything
            raise OptionError(UNGUARDED_WORDS) from error
    return SyncVectorEnv(makers)


def _made(registered: dict[str, dict[str, str]], **options: Any) -> core.Environment:
    """In a process that was spawned nothing is registered yet of what was registered at run time."""
    register_again(registered)
    return core.make_task(**options)
