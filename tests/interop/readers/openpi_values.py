"""What openpi's own code makes of BOMB's data, with the configuration that docs/exports.md gives.

``PYTHONPATH=CHECKOUT/src:CHECKOUT/packages/openpi-client/src python openpi_values.py > openpi_values.json``
in an environment with what openpi imports. Nothing of BOMB is imported: the page is read as text.
"""

import hashlib
import json
import re
import sys
import types
from pathlib import Path

import numpy as np

PAGE = Path(__file__).parents[3] / "docs" / "exports.md"
SIDE, MOMENTS, CHUNK = 224, 400, 10


def blocks() -> tuple[str, str]:
    """The names that are repacked, and the transforms of inputs and outputs."""
    every = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (names,) = [code for code in every if code.startswith("{") and "observation.images.head" in code]
    (made,) = [code for code in every if "class BombInputs" in code]
    return names, made


def digest() -> str:
    """Of both blocks: other ones need other values."""
    return hashlib.sha256("\n".join(blocks()).encode()).hexdigest()


def item() -> dict:
    """One item as LeRobot's loader gives it: pictures float32[3, H, W], a chunk of actions, words."""
    draw = np.random.default_rng(0)
    pictures = {name: draw.random((3, SIDE, SIDE), np.float32) for name in ("head", "wrist")}
    vectors = {"observation.state": draw.random(4, np.float32), "action": draw.random((CHUNK, 4), np.float32)}
    named = {f"observation.images.{name}": picture for name, picture in pictures.items()}
    return {**named, **vectors, "prompt": "Put the black stone on row 1, column 2."}


def numbers() -> np.ndarray:
    """States, float64[N, 4], whose statistics are made."""
    return np.random.default_rng(1).uniform([-0.2, -0.2, 0.0, 0.0], [0.6, 0.2, 0.4, 1.0], (MOMENTS, 4))


def about(values: dict) -> dict:
    """Shape, kind and sum of every array, by its name."""
    found = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found |= {f"{name}/{key}": one for key, one in about(value).items()}
        elif not isinstance(value, str):
            array = np.asarray(value)
            found[name] = [list(array.shape), str(array.dtype), round(float(array.astype(float).sum()), 3)]
    return found


def main() -> None:
    from openpi import transforms
    from openpi.models.model import ModelType
    from openpi.shared.normalize import RunningStats

    names, code = blocks()
    module = types.ModuleType("bomb_policy")
    sys.modules["bomb_policy"] = module
    exec(compile(code, str(PAGE), "exec"), module.__dict__)
    repacked = transforms.RepackTransform(eval(names))(item())
    inputs = module.BombInputs(model_type=ModelType.PI0)(repacked)
    asked = {name: value for name, value in repacked.items() if name != "actions"}
    # What a client sends is no picture of a loader, but one of a camera.
    for name in asked:
        if name.startswith("observation/images/"):
            asked[name] = (np.moveaxis(asked[name], 0, -1) * 255).astype(np.uint8)
    served = module.BombInputs(model_type=ModelType.PI0)(asked)
    padded = transforms.PadStatesAndActions(32)(dict(inputs))
    outputs = module.BombOutputs()({"actions": padded["actions"]})
    statistics = RunningStats()
    statistics.update(numbers())
    stats = statistics.get_statistics()
    result = {
        "page": digest(),
        "repacked": about(repacked),
        "inputs": about(inputs),
        "served": about(served),
        "outputs": about(outputs),
        "statistics": {key: getattr(stats, key).tolist() for key in ("mean", "std", "q01", "q99")},
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
