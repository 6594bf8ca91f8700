"""Servers for the tests: ours in a process of its own or in a thread, and scripted ones."""

import asyncio
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from bomb.integrations.openpi import codec
from bomb.integrations.openpi.server import PolicyServer

ROOT = Path(__file__).resolve().parents[2]
HERE = "tests.openpi.policies:"


class Process:
    """``bomb serve`` as a user starts it."""

    def __init__(self, *options: str, port: int = 0, **popen):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bomb", "serve", "--port", str(port), *options],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **popen,
        )  # fmt: skip
        self.line = self.process.stdout.readline()
        if "openpi://" not in self.line:
            self.process.kill()
            raise RuntimeError(self.process.communicate()[1])
        self.place = self.line.split("openpi://")[1].split()[0]
        self.port = int(self.place.rpartition(":")[2])

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def serve_process():
    """Starts ``bomb serve``; what is left at the end is killed."""
    started = []

    def start(*options, **named):
        started.append(Process(*options, **named))
        return started[-1]

    yield start
    for process in started:
        process.end()


@contextmanager
def served(words: str, **options):
    """Our server in a thread; gives (``host:port``, the server)."""
    server = PolicyServer(words, port=0, **options)
    loop, up, places = asyncio.new_event_loop(), threading.Event(), []
    stop = asyncio.Event()

    def ready(place: str) -> None:
        places.append(place)
        up.set()

    thread = threading.Thread(target=lambda: loop.run_until_complete(server.run(stop, ready)))
    thread.start()
    try:
        assert up.wait(20)
        yield places[0], server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        loop.close()


@pytest.fixture
def serve():
    """``serve(words, mapping_name=...)`` gives the place of a server in a thread."""
    with ExitStack() as stack:
        yield lambda words, **options: stack.enter_context(served(words, **options))[0]


@contextmanager
def scripted(converse):
    """A server whose connections are handled by ``converse(connection)``; gives ``host:port``."""
    from websockets.sync.server import serve as listen

    with listen(converse, "127.0.0.1", 0, compression=None, max_size=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join(20)


def answering(reply: object, *, metadata: object = None, after: int = 0):
    """A conversation: metadata, ``after`` good answers, then ``reply`` to everything."""
    good = {"actions": [[0.0, 0.0, 0.0, 1.0]]}

    def converse(connection) -> None:
        connection.send(codec.packb(metadata or {}))
        for number, _ in enumerate(connection):
            answer = good if number < after else reply
            connection.send(answer if isinstance(answer, bytes | str) else codec.packb(answer))

    return converse
