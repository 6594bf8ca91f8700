"""The model of a recipe: where its weights come from, and which of them learn."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from bomb.disk.files import FileError, read_json
from bomb.models.codecs.actions import ActionCodec
from bomb.models.codecs.statistics import FILE as STATISTICS
from bomb.models.codecs.statistics import DatasetStatistics
from bomb.models.folders import FILE, loading, without_bars
from bomb.models.initial import afresh
from bomb.models.lora import add_lora
from bomb.models.registry import FAMILIES
from bomb.models.settings import VLASettings
from bomb.models.vla import VLA
from bomb.training.recipe import ModelRecipe, Recipe, TrainedRecipe
from core.errors import ConventionError, OptionError, check_choice


def make_model(
    recipe: Recipe,
    statistics: DatasetStatistics,
    *,
    texts: Sequence[str],
    control_hz: int,
    trained_on: Sequence[dict[str, Any]],
) -> VLA:
    """The model with the weights that its training begins with; those that do not learn are frozen.

    Args:
        recipe: of the training.
        statistics: of what is learned from.
        texts: instructions, for the tokenizer of a tiny model.
        control_hz: of the data.
        trained_on: provenance of the data.

    Raises:
        FileError, UnknownNameError, OptionError: for a start that does not fit the recipe.
        ConventionError: if the start is of another family.
    """
    model = recipe.model
    settings = VLASettings(
        family=model.family,
        cameras=model.cameras,
        image_size=model.image_size,
        chunk=model.chunk,
        convention=model.convention,
        normalisation=model.normalisation,
        control_hz=control_hz,
        history=model.history,
        options=model.options,
        trained_on=list(trained_on),
    )
    kind = FAMILIES.load(model.family)
    vla: VLA
    dtype = None if model.weights is None else getattr(torch, model.weights)
    torch.manual_seed(recipe.seed)
    with without_bars():
        if model.folder is None:
            if model.start != "random":
                raise OptionError(f"start {model.start!r} needs the folder that it starts from")
            vla = kind.tiny(settings, statistics, texts=sorted(set(texts)), seed=recipe.seed)
        elif model.start == "vlm" or (model.start == "random" and _is_vlm(kind, Path(model.folder))):
            if not hasattr(kind, "from_vlm"):
                raise OptionError(
                    f"the family {model.family!r} does not start from a VLM; valid: checkpoint, random"
                )
            with loading(model.folder):
                vla = kind.from_vlm(Path(model.folder), settings, statistics, dtype=dtype)
            if model.start == "random":
                torch.manual_seed(recipe.seed)
                started: Any = vla  # what starts from a VLM has it as its backbone
                afresh(started.backbone.model)
        else:
            vla = _loaded(kind, Path(model.folder), settings, statistics, model, dtype)
            if model.start == "random":
                torch.manual_seed(recipe.seed)
                afresh(vla)
    if "depth" in vla.modalities and not recipe.data.depth:
        raise OptionError(f"this model of family {model.family!r} looks at depth: say data.depth: true")
    if dtype is not None:
        vla.to(dtype)
    choose_trained(vla, recipe.trained)
    return vla


def _loaded(
    kind: type[VLA],
    folder: Path,
    settings: VLASettings,
    statistics: DatasetStatistics,
    model: ModelRecipe,
    dtype: torch.dtype | None,
) -> VLA:
    """A checkpoint's weights under the recipe's settings."""
    options, before, dataset = {}, [], None
    if (folder / FILE).is_file():
        old = VLASettings.read(folder)
        if old.family != settings.family:
            raise ConventionError(
                f"{folder} is of family {old.family!r}, the recipe's is {settings.family!r}"
            )
        options, before, dataset = old.options, old.trained_on, old.dataset
    if model.start == "random":
        before = []  # only its shape is taken
    new = replace(
        settings, options={**options, **settings.options}, trained_on=[*before, *settings.trained_on]
    )
    # The file's own statistics are read first; a public folder need not know any data of BOMB's.
    with loading(folder):
        vla = kind.load(folder, replace(new, dataset=dataset or _any_dataset(folder)), dtype=dtype)
    vla.settings = new
    if model.statistics == "data":
        vla.statistics = statistics
        vla.codec = ActionCodec(
            convention=new.convention, statistics=statistics.action, normalisation=new.normalisation
        )
    return vla


def _is_vlm(kind: type[VLA], folder: Path) -> bool:
    """Whether a folder has a VLM alone, and the family is made on one."""
    return hasattr(kind, "from_vlm") and not (folder / FILE).is_file()


def _any_dataset(folder: Path) -> str:
    """The name of a dataset that a public checkpoint has statistics of."""
    for file, key in ((folder / STATISTICS, None), (folder / "config.json", "norm_stats")):
        if file.is_file():
            found = read_json(file) if key is None else read_json(file).get(key) or {}
            if found:
                return str(min(found))
    raise FileError(f"{folder} has no statistics of any dataset: neither {STATISTICS} nor norm_stats")


def choose_trained(vla: VLA, trained: TrainedRecipe) -> None:
    """Freezes what does not learn, and adds adapters.

    Raises:
        UnknownNameError: for a part that the family does not have, listing its parts.
        OptionError: if nothing is left to learn.
    """
    parts = vla.parts
    named = [prefix for name in trained.parts for prefix in parts[check_choice("part", name, parts)]]
    if trained.kind == "lora":
        add_lora(vla, trained.lora, learned=named)
    elif trained.kind == "only":
        for key, weight in vla.named_parameters():
            weight.requires_grad_(key.startswith(tuple(named)))
    if trained.freeze:
        vla.freeze(*trained.freeze)
    if not vla.count(trained=True):
        raise OptionError("nothing is left to learn: every parameter is frozen")


def copied(vla: VLA) -> VLA:
    """A copy on the CPU that learns nothing."""
    # Told beforehand what becomes of the weights, the copy needs no more memory where the model is.
    memo: dict[int, object] = {
        id(weight): nn.Parameter(weight.detach().cpu().clone(), requires_grad=False)
        for weight in vla.parameters()
    }
    memo |= {id(buffer): buffer.detach().cpu().clone() for buffer in vla.buffers()}
    return copy.deepcopy(vla, memo)


def merged(whole: VLA) -> VLA:
    """Makes adapters part of the weights of a copy: what is saved and played."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    for parent in list(whole.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, BaseTunerLayer):
                layer.merge()
                setattr(parent, name, layer.get_base_layer())
    for attribute in ("peft_config", "_hf_peft_config_loaded"):
        if hasattr(whole, attribute):
            delattr(whole, attribute)
    whole.eval()
    return whole


def decayed(module: nn.Module) -> set[str]:
    """Names of parameters that are decayed: matrices and convolutions, no norms, biases and queries."""
    return {name for name, weight in module.named_parameters() if weight.ndim > 1}
