"""One connection to a model server: vla-eval's messages over a websocket, one question at a time."""

import time
from typing import TYPE_CHECKING, Any

from bomb.disk.text import message_of, one_line
from bomb.integrations.vla_eval import answers
from bomb.processes.deadlines import hung_up_after
from core.errors import PolicyConnectionError, PolicyError, PolicyTimeoutError, missing_extra

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

CLOSING = 2.0  # s for a server to say goodbye
RETRY = 0.5  # s between attempts to connect


class Wire:
    """A connected server that has said hello.

    Messages are vla-eval's own (``vla_eval.protocol``): msgpack, arrays and PNG pictures in it.

    Attributes:
        hello: what the server said about itself.

    Args:
        uri: ``ws://host:port``.
        timeout: for each answer (s).
        connect_timeout: for how long to try (s).

    Raises:
        BombError: if vla-eval is not installed.
        PolicyConnectionError: if nobody listens.
        PolicyError: if whoever listens does not speak the protocol.
    """

    def __init__(self, uri: str, *, timeout: float, connect_timeout: float):
        try:
            from vla_eval.protocol import messages
        except ImportError as error:
            raise missing_extra("a policy behind vla-eval://", "vla-eval") from error
        self._messages, self._uri, self._timeout = messages, uri, timeout
        self._seq = 0
        self._socket = _connect(uri, connect_timeout)
        try:
            self._send("HELLO", messages.make_hello_payload(benchmark="bomb"))
            answer = self._receive(self._seq)
            if answer.type != messages.MessageType.HELLO:
                raise PolicyError(f"{uri} answered HELLO with {answer.type.value}")
            self.hello: dict[str, Any] = answers.checked_hello(answer.payload, uri)
        except BaseException:
            self.close()
            raise

    def start_episode(self, task: dict[str, Any]) -> None:
        """Tells the server that an episode begins; it does not answer."""
        self._send("EPISODE_START", {"task": task})

    def end_episode(self, result: dict[str, Any]) -> None:
        """Tells the server that the episode is over; it does not answer."""
        self._send("EPISODE_END", result)

    def ask(self, observation: dict[str, Any]) -> dict[str, Any]:
        """The answer to an observation.

        Raises:
            PolicyTimeoutError: if it does not come in time.
            PolicyConnectionError: if the connection is lost.
            PolicyError: if the server reports an error, or sends something else.
        """
        self._send("OBSERVATION", observation)
        answer = self._receive(self._seq)
        if answer.type != self._messages.MessageType.ACTION:
            raise PolicyError(f"{self._uri} answered an observation with {answer.type.value}")
        return answer.payload or {}

    def close(self) -> None:
        """Hangs up. A second call does nothing."""
        self._socket.close()

    def _send(self, kind: str, payload: dict[str, Any]) -> None:
        from websockets.exceptions import ConnectionClosed

        self._seq += 1
        message = self._messages.Message(
            type=self._messages.MessageType[kind], payload=payload, seq=self._seq
        )
        try:
            with hung_up_after(self._timeout, self._socket.socket):
                self._socket.send(self._messages.pack_message(message))
        except TimeoutError as error:
            raise PolicyTimeoutError(f"{self._uri} took no message within {self._timeout:g} s") from error
        except (ConnectionClosed, OSError) as error:
            raise PolicyConnectionError(f"{self._uri} is gone: {error}") from error

    def _receive(self, seq: int) -> Any:
        """The answer with this number; what is older comes too late and is dropped."""
        from websockets.exceptions import ConnectionClosed

        deadline = time.monotonic() + self._timeout
        while True:
            try:
                left = deadline - time.monotonic()
                if left < 0:  # old answers without end are no answer
                    raise TimeoutError
                data = self._socket.recv(timeout=left)
                answers.check_arrays(data)
                answer = self._messages.unpack_message(data)
                _check(answer)
            except TimeoutError as error:
                raise PolicyTimeoutError(f"{self._uri} did not answer within {self._timeout:g} s") from error
            except (ConnectionClosed, OSError) as error:
                raise PolicyConnectionError(f"{self._uri} is gone: {error}") from error
            except Exception as error:  # whatever the protocol's own reader raises over what was sent
                words = one_line(f"{type(error).__name__}: {message_of(error)}")
                raise PolicyError(f"{self._uri} does not speak vla-eval's protocol: {words}") from error
            # Never dropped: what fails at the start of an episode is told before the first answer.
            if answer.type == self._messages.MessageType.ERROR:
                reported = answer.payload.get("error", answer.payload) if answer.payload else "an error"
                raise PolicyError(f"{self._uri} reports: {one_line(str(reported))}")
            if answer.seq == seq:
                return answer
            if answer.seq > seq:
                raise PolicyError(f"{self._uri} answered message {answer.seq}, the last one was {seq}")


def _check(answer: Any) -> None:
    if type(answer.seq) is not int:
        raise ValueError(f"a message with number {str(answer.seq)[:30]!r}")
    if not isinstance(answer.payload, dict | None):
        raise ValueError(f"a message with {type(answer.payload).__name__} in it")


def _connect(uri: str, patience: float) -> "ClientConnection":
    from websockets.exceptions import ConnectionClosed, InvalidHandshake
    from websockets.sync.client import connect

    deadline = time.monotonic() + patience
    while True:
        try:
            # No pings: a server that compiles its model may not answer them for a while.
            return connect(
                uri,
                compression=None,
                max_size=answers.LARGEST,
                close_timeout=CLOSING,
                ping_interval=None,
                proxy=None,
                open_timeout=patience,
            )
        except (InvalidHandshake, EOFError, OSError, ConnectionClosed) as error:  # TimeoutError is an OSError
            if isinstance(error, InvalidHandshake) and not _hung_up(error):
                raise PolicyError(f"{uri} is not a websocket server: {error}") from error
            if time.monotonic() + RETRY > deadline:
                raise PolicyConnectionError(
                    f"nobody listens at {uri} (tried for {patience:g} s): {error}"
                ) from error
            time.sleep(RETRY)


def _hung_up(error: Exception) -> bool:
    """Whether a handshake failed because the other side went away, as a dying server does."""
    return isinstance(error.__cause__, (EOFError, OSError))
