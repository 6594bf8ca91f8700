"""Whether other processes can read the program that starts them."""

import multiprocessing
import os
import sys
from pathlib import Path

from bomb.processes.statuses import UNGUARDED
from core.errors import OptionError

UNGUARDED_WORDS = (
    "worker processes read this program again, and it would start others then: put what it does below "
    '`if __name__ == "__main__":`'
)


def check_main_program(policy: str = "") -> None:
    """Returns if spawned processes will find what this program is made of.

    A spawned process reads the main program again, from its file. A program out of standard input has none,
    and what is defined in a notebook or at a prompt exists in no file either. A process that comes here while
    it reads the program ends at once; who started it raises ``OptionError`` with ``UNGUARDED_WORDS``.

    Args:
        policy: words of a policy that other processes will make.

    Raises:
        OptionError: saying what to do instead.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):  # as multiprocessing itself asks
        os._exit(UNGUARDED)
    main = sys.modules["__main__"]
    file, name = getattr(main, "__file__", None), getattr(getattr(main, "__spec__", None), "name", None)
    if file is not None and name is None and not Path(file).exists():
        raise OptionError(
            f"worker processes cannot read this program, for it has no file ({file}): put it into one, and "
            'what it does below `if __name__ == "__main__":`'
        )
    if file is None and "__main__:" in policy:
        raise OptionError(
            f"policy {policy!r} is defined in a notebook or at a prompt, where worker processes cannot find "
            "it: put the class into a file, mine.py, and say mine:Class"
        )
