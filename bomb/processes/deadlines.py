"""Deadlines that hold whatever a connection is waiting for."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def hung_up_after(seconds: float, connection: socket.socket) -> Iterator[None]:
    """Shuts a connection down unless the block has ended in time.

    A time limit for receiving does not bind sending: to a server that does not read, one waits for ever.

    Args:
        seconds: from now.
        connection: unusable afterwards, if it came to that.

    Raises:
        TimeoutError: in place of whatever the block raised because its connection was gone.
    """
    late = threading.Event()

    def hang_up() -> None:
        late.set()
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    watch = threading.Timer(seconds, hang_up)
    watch.daemon = True
    watch.start()
    try:
        yield
    except Exception as error:
        if late.is_set() and not isinstance(error, TimeoutError):
            raise TimeoutError(f"not over in {seconds:g} s") from error
        raise
    finally:
        watch.cancel()
