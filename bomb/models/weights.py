"""Weights on the disk: one file or shards, safetensors before pickles, and nothing that runs code.

A pickle is only read with torch's ``weights_only``, which builds tensors and refuses everything else.
"""

import fnmatch
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from bomb.disk.files import FileError, read_json, write_json

SAFE, SAFE_INDEX = "model.safetensors", "model.safetensors.index.json"
PICKLE, PICKLE_INDEX = "pytorch_model.bin", "pytorch_model.bin.index.json"
NAMED = 5  # keys that a message names
Made = TypeVar("Made", bound=torch.nn.Module)


def weight_files(folder: Path) -> list[Path]:
    """The files that hold the weights.

    Raises:
        FileError: if there are none, or a shard that the index names is missing.
    """
    folder = Path(folder)
    for single, index in ((SAFE, SAFE_INDEX), (PICKLE, PICKLE_INDEX)):
        if (folder / index).is_file():
            shards = read_json(folder / index).get("weight_map")
            if not isinstance(shards, Mapping) or not all(isinstance(name, str) for name in shards.values()):
                raise FileError(f"{folder / index} has no weight_map")
            files = [folder / name for name in sorted(set(shards.values()))]
            for file in files:
                if file.resolve().parent != folder.resolve() or not file.is_file():
                    raise FileError(f"{folder / index} names the shard {file.name}, which is not there")
            return files
        if (folder / single).is_file():
            return [folder / single]
    raise FileError(f"{folder} has no weights: neither {SAFE}, {SAFE_INDEX}, {PICKLE} nor {PICKLE_INDEX}")


def read_tensors(file: Path) -> dict[str, Tensor]:
    """The tensors of one file.

    Raises:
        FileError: if it is damaged, or a pickle of something else than tensors.
    """
    try:
        if file.suffix == ".safetensors":
            from safetensors.torch import load_file

            stored: dict[str, Tensor] = load_file(file)
            return stored
        found = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise FileError(f"{file} holds more than tensors, and no code of it is run: {error}") from error
    except Exception as error:  # safetensors has errors of its own, and torch raises many kinds
        raise FileError(f"{file} cannot be read: {type(error).__name__}: {error}") from error
    if not isinstance(found, Mapping) or not all(isinstance(value, Tensor) for value in found.values()):
        raise FileError(f"{file} must hold tensors by name")
    return dict(found)


def load_weights(
    module: torch.nn.Module,
    files: Sequence[Path],
    *,
    dtype: torch.dtype | None = None,
    ignored: Sequence[str] = (),
    rename: Callable[[str], str | None] | None = None,
    assign: bool = True,
    read: Callable[[Path], Mapping[str, Tensor]] = read_tensors,
) -> None:
    """Puts the tensors of some files into a module, shard by shard; the module may be on the meta device.

    Args:
        module: takes them.
        files: as ``weight_files`` finds them.
        dtype: to store them as; None: as they are in the file.
        ignored: patterns of names that may be in the files and are not used.
        rename: the module's name for a name in the files; None for one that is not used.
        assign: whether the module's parameters are replaced; else they are written into.
        read: what makes tensors by name of a file.

    Raises:
        FileError: naming keys that are missing or unknown, or a tensor of another shape.
    """
    if lost := [file for file in files if not file.is_file()]:
        raise FileError(f"{lost[0]} does not exist")
    wanted, tied = module.state_dict(), _tied(module)
    seen: set[str] = set()
    extra: list[str] = []
    for file in files:
        part = {}
        for key, tensor in _named(read(file), ignored, rename):
            if key not in wanted:
                extra.append(key)
            elif wanted[key].shape != tensor.shape:
                raise FileError(
                    f"{file}: {key} has shape {list(tensor.shape)}, the model wants {list(wanted[key].shape)}"
                )
            else:
                part[key] = tensor.to(dtype) if dtype and tensor.is_floating_point() else tensor
        seen |= part.keys()
        module.load_state_dict(part, strict=False, assign=assign)
    missing = sorted(key for key in wanted.keys() - seen if tied.get(key) not in seen)
    for what, keys in (("lack", missing), ("have unknown keys", sorted(extra))):
        if keys:
            rest = f" and {len(keys) - NAMED} more" if len(keys) > NAMED else ""
            where = files[0].parent if files else "(no files)"
            raise FileError(f"the weights in {where} {what}: {', '.join(keys[:NAMED])}{rest}")
    tie = getattr(module, "tie_weights", None)
    if callable(tie):
        tie()


def save_weights(
    module: torch.nn.Module,
    folder: Path,
    *,
    shard_mb: float | None = None,
    rename: Callable[[str], str] = str,
) -> None:
    """Writes ``model.safetensors``, or shards with an index where it would be larger than ``shard_mb``.

    ``rename`` gives the name in the files for one of the module's.
    """
    from safetensors.torch import save_file

    tied = _tied(module)
    tensors = {
        rename(key): value.detach().contiguous().cpu()
        for key, value in module.state_dict().items()
        if key not in tied
    }
    shards: list[dict[str, Tensor]] = [{}]
    size = 0.0
    for key, tensor in tensors.items():
        mb = tensor.numel() * tensor.element_size() / 1e6
        if shard_mb is not None and shards[-1] and size + mb > shard_mb:
            shards.append({})
            size = 0.0
        shards[-1][key] = tensor
        size += mb
    if len(shards) == 1:
        save_file(shards[0], folder / SAFE, metadata={"format": "pt"})
        return
    names = [f"model-{k + 1:05d}-of-{len(shards):05d}.safetensors" for k in range(len(shards))]
    for name, shard in zip(names, shards, strict=True):
        save_file(shard, folder / name, metadata={"format": "pt"})
    total = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    places = {key: name for name, shard in zip(names, shards, strict=True) for key in shard}
    write_json(folder / SAFE_INDEX, {"metadata": {"total_size": total}, "weight_map": places})


def save_module(module: torch.nn.Module, file: Path) -> None:
    """Writes the weights of a small module into one file of safetensors."""
    from safetensors.torch import save_file

    tensors = {key: value.detach().contiguous().cpu() for key, value in module.state_dict().items()}
    save_file(tensors, file, metadata={"format": "pt"})


def _named(
    tensors: Mapping[str, Tensor], ignored: Sequence[str], rename: Callable[[str], str | None] | None
) -> Iterator[tuple[str, Tensor]]:
    for key, tensor in tensors.items():
        if any(fnmatch.fnmatchcase(key, pattern) for pattern in ignored):
            continue
        name = rename(key) if rename else key
        if name is not None:
            yield name, tensor


def _tied(module: torch.nn.Module) -> dict[str, str]:
    """Names of parameters that are another one's tensor, with the name of that one."""
    first: dict[int, str] = {}
    found: dict[str, str] = {}
    for key, weight in module.named_parameters(remove_duplicate=False):
        if id(weight) in first:
            found[key] = first[id(weight)]
        else:
            first[id(weight)] = key
    return found


def empty(make: Callable[[], Made]) -> Made:
    """A module whose parameters are on the meta device and whose buffers are real: quick, and of no size."""
    from accelerate import init_empty_weights

    with init_empty_weights(include_buffers=False):
        return make()
