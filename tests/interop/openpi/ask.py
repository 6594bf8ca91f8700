"""Asks a server with openpi-client's own classes; prints what it got as JSON.

``ask.py HOST PORT LAYOUT HORIZON``: nine actions, one at a time out of chunks of HORIZON; the last three with
another prompt.
"""

import json
import sys

import numpy as np


def request(layout: str, number: int) -> dict:
    """An observation in the layout of openpi's LIBERO examples, or in BOMB's."""
    rng = np.random.default_rng(number)
    picture = rng.integers(256, size=(224, 224, 3), dtype=np.uint8)
    prompt = "Place a stone." if number < 6 else "Take it away."
    if layout == "libero":
        pictures = {"observation/image": picture, "observation/wrist_image": picture[::-1]}
        return {**pictures, "observation/state": rng.uniform(size=8), "prompt": prompt}
    state = rng.uniform(size=4).astype(np.float32)
    return {"observation/images/head": picture, "observation/state": state, "prompt": prompt}


def main(host: str, port: str, layout: str, horizon: str) -> None:
    """Plays nine steps."""
    from openpi_client.action_chunk_broker import ActionChunkBroker
    from openpi_client.websocket_client_policy import WebsocketClientPolicy

    policy = WebsocketClientPolicy(host, int(port))
    broker = ActionChunkBroker(policy, int(horizon))
    replies = [broker.infer(request(layout, number)) for number in range(9)]
    print(
        json.dumps(
            {
                "metadata": policy.get_server_metadata(),
                "actions": [reply["actions"].tolist() for reply in replies],
                "timing": [sorted(reply["server_timing"]) for reply in replies],
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
