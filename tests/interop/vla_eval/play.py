"""Our client against a model server: ``play.py WORDS BACKEND FIRST COUNT [max_steps=N ...]`` prints JSON."""

import ast
import json
import sys

import bomb
import core
from core.errors import BombError


def main() -> dict:
    words, backend, first, count, *rest = sys.argv[1:]
    options = {"cameras": (), "split": "ci", "stop_on_success": True}
    options |= {name: ast.literal_eval(value) for name, value in (item.split("=") for item in rest)}
    try:
        policy = bomb.make_policy(words)
    except BombError as error:
        return {"error": [type(error).__name__, str(error)]}
    episodes, described = {}, json.loads(json.dumps(policy.describe()))
    with core.make_task("place_stone", backend=backend, **options) as env:
        for seed in range(int(first), int(first) + int(count)):
            try:
                info = bomb.play(env, policy, seed).info
            except BombError as error:
                episodes[seed] = {"error": [type(error).__name__, str(error)]}
            else:
                episodes[seed] = {key: info["placement"][key] for key in ("success", "reason", "distance_mm")}
    policy.close()
    policy.close()
    return {"episodes": episodes, "describe": described}


print(json.dumps(main()))
