"""One websocket to a policy server, and what can go wrong with it."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from bomb.disk.text import kept, one_line
from bomb.integrations.openpi import codec
from bomb.integrations.openpi.address import Address
from bomb.processes.deadlines import hung_up_after
from core.errors import PolicyConnectionError, PolicyError, PolicyOutputError, PolicyTimeoutError

API_KEY = "OPENPI_API_KEY"  # environment variable
CONNECT_S = 10.0
RETRY_S = 0.5


class Connection:
    """A connection on which one request at a time is answered. Any error closes it.

    Args:
        address: of the server; one that refuses is tried again for ``address.wait`` seconds.

    Attributes:
        metadata: the map that the server sends first.

    Raises:
        PolicyConnectionError: if there is no policy server at the address.
    """

    def __init__(self, address: Address):
        self._address, self._stack = address, ExitStack()
        until = time.monotonic() + address.wait
        while not self._open(again=time.monotonic() < until):
            time.sleep(RETRY_S)
        metadata = self._receive(str(address))
        if not isinstance(metadata, dict):
            self.close()
            raise PolicyConnectionError(
                f"{address}: the first message must be a map of metadata, is {one_line(metadata, 100)!r}"
            )
        self.metadata: dict[str, Any] = metadata

    @property
    def is_open(self) -> bool:
        """Whether nothing is known to have gone wrong."""
        from websockets.protocol import State

        return self._socket.state is State.OPEN

    def ask(self, request: dict[str, Any], source: str) -> object:
        """Sends a request and waits for what comes.

        Args:
            request: plain values and arrays.
            source: what an error is said to be about.

        Raises:
            PolicyConnectionError: if the connection is lost.
            PolicyTimeoutError: if nothing comes in time.
            PolicyOutputError: if what comes cannot be read.
            PolicyError: with the server's traceback, if it reports an error.
        """
        with self._closed_on_error(source):
            data = codec.packb(request)
            self._check_silent(source)
            with hung_up_after(self._address.timeout, self._socket.socket):
                self._socket.send(data)
                message = self._socket.recv(timeout=self._address.timeout)
            return self._read(message, source)

    def close(self) -> None:
        """Says goodbye. A second call does nothing."""
        self._stack.close()

    def _open(self, *, again: bool) -> bool:
        from websockets.exceptions import WebSocketException
        from websockets.sync.client import connect

        key = os.environ.get(API_KEY)
        try:
            opening = connect(
                f"ws://{self._address.place}",
                additional_headers={"Authorization": f"Api-Key {key}"} if key else None,
                compression=None,
                max_size=codec.LARGEST,
                proxy=None,
                open_timeout=CONNECT_S,
                close_timeout=1.0,
                # A server that thinks in its event loop, as openpi's does, answers no ping meanwhile.
                ping_interval=None,
            )
            self._socket = self._stack.enter_context(opening)
        except ConnectionRefusedError as error:
            if again:
                return False
            raise PolicyConnectionError(f"{self._address}: nobody answers there: {error}") from error
        except (OSError, WebSocketException) as error:
            raise PolicyConnectionError(f"{self._address}: no policy server there: {error}") from error
        return True

    def _receive(self, source: str) -> object:
        with self._closed_on_error(source):
            with hung_up_after(self._address.timeout, self._socket.socket):
                message = self._socket.recv(timeout=self._address.timeout)
            return self._read(message, source)

    def _read(self, message: str | bytes, source: str) -> object:
        if isinstance(message, str):
            raise PolicyError(f"{source}: the policy server reports an error:\n{kept(message)}")
        return codec.unpackb(message)

    def _check_silent(self, source: str) -> None:
        """Returns if nothing has come that nobody asked for: it would be taken for the answer to come.

        Raises:
            PolicyOutputError: if something has.
        """
        try:
            message = self._socket.recv(timeout=0)
        except TimeoutError:
            return
        if isinstance(message, str):
            self._read(message, source)
        raise PolicyOutputError(f"{source}: the server sent an answer that nobody asked for")

    @contextmanager
    def _closed_on_error(self, source: str) -> Iterator[None]:
        """After an error or Ctrl-C an answer may still come, which nobody must take for that to another."""
        from websockets.exceptions import ConnectionClosed

        try:
            yield
        except BaseException as error:
            self.close()
            if isinstance(error, TimeoutError):
                raise PolicyTimeoutError(f"{source}: no answer within {self._address.timeout:g} s") from error
            if isinstance(error, ConnectionClosed | OSError):
                raise PolicyConnectionError(f"{source}: the connection was lost: {error}") from error
            if isinstance(error, codec.CodecError):
                raise PolicyOutputError(f"{source}: {error}") from error
            raise
