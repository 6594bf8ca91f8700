"""The files of a run folder beside the merged model: ``NAME--{step}_checkpoint.pt``, one per small network.

They hold tensors by name, perhaps behind ``module.`` (of torch's DistributedDataParallel). Towers with FiLM
may have been saved with their LoRA beside them: it is merged here, with alpha = min(rank, 16) as in the
public script.
"""

from pathlib import Path

import torch
from torch import nn

from bomb.disk.files import FileError
from bomb.models.weights import load_weights, read_tensors

LATEST = "latest_checkpoint"
ALPHA = 16


def side_file(folder: Path, name: str) -> Path:
    """The file of a small network.

    Raises:
        FileError: if there is none, or several.
    """
    found = sorted(file for kind in ("pt", "safetensors") for file in Path(folder).glob(f"{name}--*.{kind}"))
    if len(found) != 1:
        names = ", ".join(file.name for file in found)
        raise FileError(
            f"{folder} must have one file {name}--{{step}}_checkpoint.pt, has {names or 'none'}; "
            "the options of bomb.json say which networks there are"
        )
    return found[0]


def load_side(
    module: nn.Module, folder: Path, name: str, *, dtype: torch.dtype | None, inside: str = ""
) -> None:
    """Reads a small network.

    Args:
        module: takes the weights.
        folder: of the run.
        name: ``action_head``, ``proprio_projector``, ``noisy_action_projector`` or ``vision_backbone``.
        dtype: to store them as; None: as they are.
        inside: what names in the file begin with, and not the module's.

    Raises:
        FileError: naming the file or key that does not fit.
    """
    load_weights(
        module,
        [side_file(folder, name)],
        dtype=dtype,
        rename=lambda key: key.removeprefix("module.").removeprefix(inside),
        read=lambda file: merged(read_tensors(file), file),
    )


def save_side(module: nn.Module, folder: Path, name: str, *, inside: str = "") -> None:
    """Writes a small network as the public code reads it."""
    tensors = {inside + key: value.detach().contiguous().cpu() for key, value in module.state_dict().items()}
    torch.save(tensors, Path(folder) / f"{name}--{LATEST}.pt")


def merged(tensors: dict[str, torch.Tensor], file: Path) -> dict[str, torch.Tensor]:
    """Weights with their LoRA added: W + alpha / rank * B A.

    Raises:
        FileError: naming an adapter whose layer or half is missing.
    """
    found = {}
    for key, tensor in tensors.items():
        if ".lora_" in key:
            continue
        found[key.replace(".base_layer.", ".")] = tensor
    for key, first in tensors.items():
        if ".lora_A." not in key:
            continue
        layer = key.partition(".lora_A.")[0]
        second, weight = tensors.get(key.replace(".lora_A.", ".lora_B.")), found.get(f"{layer}.weight")
        if second is None or weight is None:
            raise FileError(f"{file}: {key} has no other half, or no layer")
        scale, rank = min(len(first), ALPHA) / len(first), len(first)
        change = second.float().reshape(-1, rank) @ first.float().reshape(rank, -1)
        found[f"{layer}.weight"] = (weight.float() + scale * change.reshape(weight.shape)).to(weight.dtype)
    return found
