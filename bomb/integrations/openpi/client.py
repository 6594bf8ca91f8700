"""A policy behind an openpi websocket server: openpi's own, or ``bomb serve``."""

import json
import uuid
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.integrations.openpi import codec
from bomb.integrations.openpi.address import Address
from bomb.integrations.openpi.connection import Connection
from bomb.integrations.openpi.mapping import mapping
from bomb.integrations.openpi.session import ECHOED
from core.control.actions import ActionSpec
from core.errors import (
    ConventionError,
    OptionError,
    PolicyConnectionError,
    PolicyOutputError,
    UnknownNameError,
)
from core.policy import Policy
from core.rendering.sight import Sight

# Of a server's metadata: what results say about a policy.
MOST_METADATA = 100_000  # characters of JSON that results keep
KNOWN = ("checkpoint", "parameters", "memory_mb", "trained_on")


class OpenpiPolicy(Policy):
    """A policy behind an openpi server.

    One connection at a time, one request per look. A lost connection, a time-out and an error that the server
    reports are ``PolicyError`` and close it; the next ``reset`` connects anew. With the environment variable
    OPENPI_API_KEY set, it is sent as openpi's clients do.

    Args:
        words: ``host[:port][?mapping=NAME&timeout=S&wait=S&delta_scale=X]``, see ``Address``.

    Raises:
        OptionError, UnknownNameError: for an address or mapping that does not exist.
        PolicyConnectionError: if nobody answers there.
        ConventionError: if the server says that it speaks another mapping, or looks at what BOMB has not.
        BombError: without the packages of the extra ``openpi``.
    """

    takes_words = True
    wants_step = True
    wants_action_spec = True

    def __init__(self, words: str):
        codec.import_msgpack()
        self._address = Address.parse(words)
        self._mapping = mapping(self._address.mapping, self._address.delta_scale)
        self._connection = self._connected()
        sight = self._sight()
        self.cameras, self.image_size, self.modalities = sight.cameras, sight.image_size, sight.modalities

    def reset(  # type: ignore[override]  # see wants_action_spec
        self, instruction: str, seed: int, *, action_spec: ActionSpec
    ) -> None:
        """Begins an episode; the server learns of it with the first request.

        Raises:
            ConventionError: if the server's actions mean nothing in the environment's action mode.
            PolicyConnectionError: if there is no connection any more and nobody answers.
        """
        self._mapping.check_spec(action_spec)
        if not self._connection.is_open:
            self._connection.close()
            self._connection = self._connected()
        self._spec, self._seed, self._move = action_spec, seed, 0
        self._episode = uuid.uuid4().hex  # one that is played again is another one to the server

    def proceed(self, instruction: str) -> None:
        """Continues with the next move; the server learns of it with the next request."""
        self._move += 1

    def act(  # type: ignore[override]  # see wants_step
        self, observation: dict[str, Any], *, step: int
    ) -> npt.NDArray[np.float32]:
        """Asks the server: float32[k, 4].

        Raises:
            PolicyConnectionError, PolicyTimeoutError: if there is no answer.
            PolicyError: with the server's traceback, if it reports an error.
            PolicyOutputError: if what comes are no actions of the mapping, or not finite.
            ConventionError: if the observation lacks a picture that the mapping sends.
        """
        request = {
            **self._mapping.request(observation),
            "bomb/episode_id": self._episode,
            "bomb/seed": int(self._seed),
            "bomb/step": step,
            "bomb/move": self._move,
            "bomb/action_mode": self._spec.mode,
            "bomb/control_hz": self._spec.control_hz,
        }
        source = f"{self._address}, step {step}"
        reply = self._connection.ask(request, source)
        if not isinstance(reply, dict) or "actions" not in reply:
            has = f"a map with {sorted(map(str, reply))}" if isinstance(reply, dict) else type(reply).__name__
            raise PolicyOutputError(f"{source}: the reply must be a map with 'actions', is {has}")
        if (told := {key: reply[key] for key in ECHOED if key in reply}) != {
            key: request[key] for key in told
        }:
            self._connection.close()
            raise PolicyOutputError(f"{source}: the answer is to another request: {str(told)[:200]}")
        actions = self._mapping.check_actions(reply["actions"], source)
        return self._mapping.actions(actions, observation, self._spec)

    def describe(self) -> dict[str, Any]:
        """Address, mapping, the server's metadata, and what of these is known to results."""
        metadata = plain_metadata(self._connection.metadata, str(self._address))
        known = {key: metadata[key] for key in KNOWN if key in metadata}
        return {
            **known, "address": str(self._address), "mapping": self._mapping.describe(), "server": metadata,
        }  # fmt: skip

    def close(self) -> None:
        self._connection.close()

    def _sight(self) -> Sight:
        """What is to be shown: what the mapping sends, or with BOMB's own what the metadata ask for."""
        if self._mapping.pictures:
            return Sight(cameras=tuple(self._mapping.pictures), modalities=("rgb",))
        try:
            return Sight.read(plain_metadata(self._connection.metadata, str(self._address)))
        except (OptionError, UnknownNameError) as error:
            self._connection.close()
            raise ConventionError(f"{self._address} asks in its metadata for {error}") from error

    def _connected(self) -> Connection:
        connection = Connection(self._address)
        theirs = connection.metadata.get("bomb/mapping", self._mapping.name)
        if theirs != self._mapping.name:
            connection.close()
            raise ConventionError(
                f"{self._address} speaks mapping {theirs!r}, asked for was {self._mapping.name!r}; "
                f"say {self._address}?mapping={theirs}"
            )
        return connection


def plain_metadata(metadata: dict[str, Any], source: str) -> dict[str, Any]:
    """What a server says of itself, as JSON can hold it.

    Raises:
        PolicyConnectionError: if it is nested without end, or longer than results can carry.
    """
    try:
        plain = {str(codec.plain(name)): codec.plain(value) for name, value in metadata.items()}
        length = len(json.dumps(plain))
    except (RecursionError, ValueError, TypeError) as error:
        raise PolicyConnectionError(
            f"{source}: its metadata cannot be read: {type(error).__name__}"
        ) from error
    if length > MOST_METADATA:
        raise PolicyConnectionError(
            f"{source}: its metadata has {length} characters, at most {MOST_METADATA} are kept"
        )
    return plain
