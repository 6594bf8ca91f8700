"""Statistics as lerobot keeps them, beside its pre- and postprocessor.

lerobot normalises SmolVLA's states and actions by mean and deviation. Its files need not have quantiles:
least and greatest stand for them, and where even these are missing, two deviations.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from bomb.disk.files import FileError, read_json, write_json
from bomb.models.codecs import statistics as stored
from bomb.models.codecs.statistics import DatasetStatistics, Statistics
from bomb.models.weights import read_tensors
from core.errors import OptionError

FORTH, BACK = "policy_preprocessor.json", "policy_postprocessor.json"
NORMALISERS = {FORTH: "normalizer_processor", BACK: "unnormalizer_processor"}
ACTION, STATE = "action", "observation.state"


def read_statistics(folder: Path, dataset: str) -> DatasetStatistics:
    """The statistics of a folder: of ``dataset_statistics.json``, or else of lerobot's preprocessor.

    Raises:
        UnknownNameError, FileError: if neither is there, or it cannot be used.
    """
    folder = Path(folder)
    if (folder / stored.FILE).is_file() or not (folder / FORTH).is_file():
        return stored.read(folder, dataset)
    file = folder / FORTH
    steps = read_json(file).get("steps") or []
    states = [s.get("state_file") for s in steps if s.get("registry_name") == NORMALISERS[FORTH]]
    if not states or not states[0] or Path(states[0]).name != states[0]:
        raise FileError(f"{file} has no step {NORMALISERS[FORTH]!r} with a file of statistics beside it")
    tensors = read_tensors(folder / states[0])
    try:
        found = {name: _statistics(tensors, name) for name in (ACTION, STATE)}
    except (OptionError, KeyError) as error:
        raise FileError(f"{folder / states[0]} cannot be used: {error}") from error
    return DatasetStatistics(action=found[ACTION], proprio=found[STATE])


def write_statistics(folder: Path, statistics: DatasetStatistics) -> None:
    """Writes what lerobot normalises by; the other steps of its processors are those of its defaults."""
    from safetensors.torch import save_file

    tensors = {}
    for name, one in ((ACTION, statistics.action), (STATE, statistics.proprio)):
        for kind in ("mean", "std", "min", "max"):
            if one is not None:
                values = np.array(getattr(one, kind))
                if kind in ("mean", "std"):  # a number that is not normalised
                    values[~one.normalised] = 0.0 if kind == "mean" else 1.0
                tensors[f"{name}.{kind}"] = torch.from_numpy(values)
    for file, kind in NORMALISERS.items():
        state = f"{Path(file).stem}_step_0_{kind}.safetensors"
        save_file(tensors, Path(folder) / state)
        config = {"eps": 1e-8, "norm_map": dict.fromkeys(("STATE", "ACTION"), "MEAN_STD")}
        step = {"registry_name": kind, "config": config, "state_file": state}
        write_json(Path(folder) / file, {"name": Path(file).stem, "steps": [step]})


def _statistics(tensors: Mapping[str, torch.Tensor], name: str) -> Statistics:
    found = {
        kind: tensors[f"{name}.{kind}"].double().numpy()
        for kind in stored.MOMENTS
        if f"{name}.{kind}" in tensors
    }
    mean, std = found["mean"], found["std"]
    found = {"min": mean - 2 * std, "max": mean + 2 * std, **found}
    return Statistics(**{"q01": found["min"], "q99": found["max"], **found})
