"""A policy of BOMB's behind openpi's websocket protocol."""

import asyncio
import hmac
import http
import logging
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bomb.disk.text import kept, message_of, one_line
from bomb.integrations.openpi import codec
from bomb.integrations.openpi.desk import Desk
from bomb.integrations.openpi.mapping import serving_mapping
from bomb.integrations.openpi.session import ECHOED, Session, Turn
from core.errors import OptionError
from core.rendering.observation import ObservationSpec

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request as HttpRequest
    from websockets.http11 import Response

logger = logging.getLogger(__name__)


class PolicyServer:
    """Serves one policy to any number of connections.

    Args:
        words: the policy, as ``make_policy`` takes it.
        mapping_name: what is called how on the wire.
        host, port: where to listen; port 0 takes a free one.
        api_key: what clients must send as ``Authorization: Api-Key ...``; None asks for none.

    Raises:
        CapabilityError: if the policy cannot be served, or the mapping is for clients.
        ConventionError: if the mapping shows something else than the policy looks at.
        BombError: as ``make_policy``, and without the packages of the extra ``openpi``.
    """

    def __init__(
        self,
        words: str,
        *,
        mapping_name: str = "bomb",
        host: str = "127.0.0.1",
        port: int = 8000,
        api_key: str | None = None,
    ):
        codec.import_msgpack()
        if not 0 <= port <= 65535:
            raise OptionError(f"port must be from 0 to 65535, got {port}")
        self._mapping = serving_mapping(mapping_name)
        self._host, self._port, self._api_key = host, port, api_key
        shown, size = None, self._mapping.size
        if self._mapping.pictures and size is not None:
            shown = ObservationSpec(
                cameras=tuple(self._mapping.pictures), image_size=size, modalities=("rgb",)
            )
        self._desk = Desk(words, shown)
        self.metadata = {**self._desk.about, "bomb/policy": words, "bomb/mapping": mapping_name}

    @property
    def waiting(self) -> int:
        """Questions that the policy has not taken up yet."""
        return self._desk.waiting

    async def run(self, stop: asyncio.Event, ready: Callable[[str], None]) -> None:
        """Serves until ``stop`` is set; connections are closed and the policies, too.

        Args:
            stop: ends it.
            ready: called with ``host:port`` once connections are accepted.

        Raises:
            OptionError: if it cannot listen there.
        """
        from websockets.asyncio.server import serve

        try:
            server = await serve(
                self._converse,
                self._host,
                self._port,
                compression=None,
                max_size=codec.LARGEST,
                max_queue=2,
                process_request=self._on_http,
            )
        except OSError as error:
            self._desk.close()
            raise OptionError(
                f"cannot listen at {self._host}:{self._port}: {error.strerror or error}"
            ) from error
        try:
            async with server:
                host, port = next(iter(server.sockets)).getsockname()[:2]
                ready(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
                await stop.wait()
        finally:
            self._desk.close()

    async def _converse(self, connection: "ServerConnection") -> None:
        """One connection: the metadata, then an answer to every request, or the reason why there is none."""
        from websockets.exceptions import ConnectionClosed

        policy = None
        try:
            await connection.send(codec.packb(self.metadata))
            policy = await self._desk.lend()
            session, last = Session(self._mapping), None
            async for message in connection:
                start = time.monotonic()
                # Not in the event loop: while one message is read, the others are answered.
                turn, told = await asyncio.to_thread(_read, session, message)
                thinking = time.monotonic()
                actions = await self._desk.ask(policy, turn)
                timing = {"infer_ms": (time.monotonic() - thinking) * 1000}
                if last is not None:
                    timing["prev_total_ms"] = last * 1000
                reply = {"actions": self._mapping.reply(actions), "server_timing": timing, **told}
                await connection.send(codec.packb(reply))
                last = time.monotonic() - start
        except ConnectionClosed:
            pass
        except Exception as error:
            words = one_line(message_of(error))
            logger.warning("%s: %s: %s", connection.remote_address, type(error).__name__, words)
            await self._refuse(connection, kept(traceback.format_exc()))
        finally:
            if policy is not None:
                self._desk.take_back(policy)

    async def _refuse(self, connection: "ServerConnection", words: str) -> None:
        """As openpi's server does: the traceback as a text frame, then close with 1011."""
        from websockets.exceptions import ConnectionClosed
        from websockets.frames import CloseCode

        try:
            await connection.send(words)
            await connection.close(CloseCode.INTERNAL_ERROR, "error in the policy server; see the last frame")
        except ConnectionClosed:
            pass

    def _on_http(self, connection: "ServerConnection", request: "HttpRequest") -> "Response | None":
        """Answers what is not a websocket, and refuses who has not the key."""
        if request.path == "/healthz":
            return connection.respond(http.HTTPStatus.OK, "OK\n")
        if self._api_key is not None:
            sent = request.headers.get("Authorization", "")
            if not hmac.compare_digest(sent.encode(), f"Api-Key {self._api_key}".encode()):
                return connection.respond(http.HTTPStatus.UNAUTHORIZED, "the API key is missing or wrong\n")
        return None


def _read(session: Session, message: bytes | str) -> tuple[Turn, dict[str, Any]]:
    """The request, and what its answer repeats, so that nobody takes it for the answer to another one."""
    request = codec.unpackb(_binary(message))
    turn = session.read(request)
    echoed = request if isinstance(request, dict) else {}
    return turn, {key: echoed[key] for key in ECHOED if key in echoed}


def _binary(message: bytes | str) -> bytes:
    if isinstance(message, str):
        raise codec.CodecError(f"a request must be a binary message, got the text {message[:80]!r}")
    return message
