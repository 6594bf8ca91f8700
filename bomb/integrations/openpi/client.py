"""A policy behind an openpi websocket server: openpi's own, or ``bomb serve``."""

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from bomb.integrations.openpi import codec
from bomb.integrations.openpi.address import Address
from bomb.integrations.openpi.mapping import mapping
from core.actions import ActionSpec
from core.errors import OptionError, PolicyError
from core.policy import Policy

API_KEY = "OPENPI_API_KEY"  # environment variable
CONNECT_S = 10.0
KNOWN = ("checkpoint", "parameters", "trained_on")  # of a server's metadata: what results say about a policy


class OpenpiPolicy(Policy):
    """A policy behind an openpi server.

    One connection at a time, one request per look. An error, a time-out or a lost connection raises
    ``PolicyError`` and closes it; the next ``reset`` connects anew. With the environment variable
    OPENPI_API_KEY set, it is sent as openpi's clients do.

    Args:
        words: ``host[:port][?mapping=NAME&timeout=S&wait=S]``, see ``Address``.

    Raises:
        OptionError, UnknownNameError: for an address or mapping that does not exist.
        PolicyError: if nobody answers there.
        BombError: without the packages of the extra ``openpi``.
    """

    takes_words = True
    wants_step = True
    wants_action_spec = True

    def __init__(self, words: str):
        codec.import_msgpack()
        self._address = Address.parse(words)
        self._mapping = mapping(self._address.mapping)
        self._connection = None
        self._metadata: dict = {}
        self._connect()

    def reset(self, instruction: str, seed: int, *, action_spec: ActionSpec) -> None:
        """Begins an episode; the server learns of it with the first request.

        Raises:
            OptionError: if the server's actions mean nothing in the environment's action mode.
            PolicyError: if there is no connection any more and nobody answers.
        """
        from websockets.protocol import State

        self._mapping.check_spec(action_spec)
        if self._connection is None or self._connection.state is not State.OPEN:
            self.close()
            self._connect()
        self._spec, self._seed, self._move = action_spec, seed, 0
        self._episode = uuid.uuid4().hex  # one that is played again is another one to the server

    def proceed(self, instruction: str) -> None:
        """Goes on with the next move; the server learns of it with the next request."""
        self._move += 1

    def act(self, observation: dict, *, step: int) -> np.ndarray:
        """Asks the server: float32[k, 4].

        Raises:
            PolicyError: if the connection is lost, nothing comes in time, or the server reports an error.
            ActionError: if what comes are no actions of the mapping, or not finite.
        """
        request = {
            **self._mapping.request(observation),
            "bomb/episode_id": self._episode,
            "bomb/seed": self._seed,
            "bomb/step": step,
            "bomb/move": self._move,
            "bomb/action_mode": self._spec.mode,
            "bomb/control_hz": self._spec.control_hz,
        }
        source = f"{self._address}, step {step}"
        reply = self._ask(codec.packb(request), source)
        if not isinstance(reply, dict) or "actions" not in reply:
            has = f"a map with {sorted(map(str, reply))}" if isinstance(reply, dict) else type(reply).__name__
            raise PolicyError(f"{source}: the reply must be a map with 'actions', is {has}")
        actions = self._mapping.check_actions(reply["actions"], source)
        return self._mapping.actions(actions, observation, self._spec)

    def describe(self) -> dict:
        """Address, mapping, the server's metadata, and what of these is known to results."""
        metadata = codec.plain(self._metadata)
        known = {key: metadata[key] for key in KNOWN if key in metadata}
        return {
            **known, "address": str(self._address), "mapping": self._mapping.describe(), "server": metadata,
        }  # fmt: skip

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # ---- the wire ---------------------------------------------------------------------------

    def _connect(self) -> None:
        from websockets.exceptions import WebSocketException
        from websockets.sync.client import connect

        key = os.environ.get(API_KEY)
        until = time.monotonic() + self._address.wait
        while self._connection is None:
            try:
                self._connection = connect(
                    f"ws://{self._address.place}",
                    additional_headers={"Authorization": f"Api-Key {key}"} if key else None,
                    compression=None,
                    max_size=None,
                    proxy=None,
                    open_timeout=CONNECT_S,
                    close_timeout=1.0,
                    # A server that thinks in its event loop, as openpi's does, answers no ping meanwhile.
                    ping_interval=None,
                )
            except ConnectionRefusedError as error:
                if time.monotonic() >= until:
                    raise PolicyError(f"{self._address}: nobody answers there: {error}") from error
                time.sleep(0.5)
            except (OSError, WebSocketException, TimeoutError) as error:
                raise PolicyError(f"{self._address}: no policy server there: {error}") from error
        metadata = self._receive(f"{self._address}, metadata")
        if not isinstance(metadata, dict):
            self.close()
            raise PolicyError(
                f"{self._address}: the first message must be a map of metadata, is {metadata!r}"
            )
        self._metadata = metadata
        theirs = metadata.get("mapping")
        if theirs is not None and theirs != self._mapping.name:
            self.close()
            raise OptionError(
                f"{self._address} speaks mapping {theirs!r}, asked for was {self._mapping.name!r}; "
                f"say {self._address}?mapping={theirs}"
            )

    def _ask(self, request: bytes, source: str) -> object:
        if self._connection is None:
            raise PolicyError(f"{source}: the connection was lost before; reset begins a new one")
        with self._closed_on_error(source):
            self._connection.send(request)
        return self._receive(source)

    def _receive(self, source: str) -> object:
        with self._closed_on_error(source):
            message = self._connection.recv(timeout=self._address.timeout)
            if isinstance(message, str):
                raise PolicyError(f"{source}: the policy server reports an error:\n{message}")
            return codec.unpackb(message)

    @contextmanager
    def _closed_on_error(self, source: str) -> Iterator[None]:
        """After an error or Ctrl-C an answer may still come, which nobody must take for that to another."""
        from websockets.exceptions import ConnectionClosed

        try:
            yield
        except BaseException as error:
            self.close()
            if isinstance(error, TimeoutError):
                raise PolicyError(f"{source}: no answer within {self._address.timeout:g} s") from error
            if isinstance(error, ConnectionClosed | OSError):
                raise PolicyError(f"{source}: the connection was lost: {error}") from error
            if isinstance(error, codec.CodecError):
                raise PolicyError(f"{source}: {error}") from error
            raise
