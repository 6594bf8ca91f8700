"""A server that speaks with openpi-client's codec, in the order of messages of openpi's own server.

It prints its port; a request's pictures and state decide its answer, and an unlucky prompt is an error.
"""

import asyncio
import traceback

import numpy as np

LIBERO_ACTIONS = 7


def infer(observation: dict) -> dict:
    """Five actions that depend on everything that was sent."""
    if observation["prompt"].startswith("Fail"):
        raise ValueError("this prompt is unlucky")
    keys = ("observation/image", "observation/wrist_image")
    light = sum(float(observation[key].astype(np.float64).mean()) for key in keys) / 510
    seed = [int(observation[f"bomb/{key}"]) for key in ("seed", "step", "move")]
    actions = np.random.default_rng(seed).uniform(-1, 1, (5, LIBERO_ACTIONS))
    actions[:, 0] = np.sin(light + observation["observation/state"].sum())
    return {"actions": actions, "state": observation["observation/state"]}


async def converse(connection) -> None:
    """Metadata first; then an answer to each request, or a traceback as text and the end."""
    from openpi_client import msgpack_numpy

    await connection.send(msgpack_numpy.packb({"checkpoint": "openpi-client 0.1.2", "horizon": np.int64(5)}))
    try:
        async for message in connection:
            await connection.send(msgpack_numpy.packb(infer(msgpack_numpy.unpackb(message))))
    except ValueError:
        await connection.send(traceback.format_exc())
        await connection.close(1011, "see the last frame")


async def main() -> None:
    """Serves until it is killed."""
    from websockets.asyncio.server import serve

    serving = serve(converse, "127.0.0.1", 0, compression=None, max_size=None)
    async with serving as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
