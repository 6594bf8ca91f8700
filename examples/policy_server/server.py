"""A policy server that BOMB and every other client of openpi's protocol can ask: put your model in.

It needs no BOMB, only ``pip install websockets msgpack numpy``, so it runs in whatever environment your model
wants. Start it, then evaluate::

    python server.py --port 8000
    bomb evaluate --policy openpi://localhost:8000 --backend mujoco,robotwin
"""

import argparse
import asyncio
import traceback

import msgpack
import numpy as np
import websockets.asyncio.server


class Model:
    """Put yours here. This one drives the open gripper down in front of the robot and closes it."""

    metadata = {"checkpoint": "none: a script", "parameters": 0}  # noqa: RUF012 -- ends up in the results

    def infer(self, request: dict) -> np.ndarray:
        """The next actions, float[k, 4]: x, y, z in -1..1 and the gripper's opening in 0..1.

        Args:
            request: ``prompt``, ``observation/state`` float32[4], ``observation/images/head``
                uint8[H, W, 3]; from BOMB also ``bomb/step``, ``bomb/seed`` (for the model's
                own randomness) and ``bomb/episode_id``, for models that remember.
        """
        down = request.get("bomb/step", 0) < 40
        action = [0.2, 0.0, -0.4 if down else 0.0, 1.0 if down else 0.0]
        return np.tile(np.array(action, dtype=np.float32), (10, 1))


def encode(value: object) -> dict:
    """NumPy arrays as openpi writes them: maps whose keys are bytes."""
    if isinstance(value, np.ndarray):
        return {
            b"__ndarray__": True,
            b"data": value.tobytes(),
            b"dtype": value.dtype.str,
            b"shape": value.shape,
        }
    raise TypeError(f"cannot send a {type(value).__name__}")


def decode(value: dict) -> object:
    """Inverse of ``encode``."""
    if b"__ndarray__" in value:
        return np.frombuffer(value[b"data"], np.dtype(value[b"dtype"])).reshape(value[b"shape"])
    return value


async def converse(connection, model: Model) -> None:
    """Metadata first; then an answer to each request. An error is sent as text, and ends the connection."""
    await connection.send(msgpack.packb(model.metadata))
    async for message in connection:
        try:
            actions = model.infer(msgpack.unpackb(message, object_hook=decode))
        except Exception:  # whatever the model raises is the client's to read
            await connection.send(traceback.format_exc())
            await connection.close(1011, "see the last message")
            return
        await connection.send(msgpack.packb({"actions": actions}, default=encode))


async def main(port: int) -> None:
    """Serves until Ctrl-C."""
    model = Model()

    async def handler(connection) -> None:
        await converse(connection, model)

    serving = websockets.asyncio.server.serve(handler, "127.0.0.1", port, compression=None, max_size=None)
    async with serving as server:
        print(f"openpi://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=8000)
    asyncio.run(main(parser.parse_args().port))
