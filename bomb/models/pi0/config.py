"""``config.json`` of a pi0 or pi0.5, in the forms of transformers, openpi and lerobot."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bomb.disk.files import FileError, read_json
from core.errors import OptionError

LAYOUTS = ("transformers", "openpi", "lerobot")  # of what is written; all are read

GEMMA: dict[str, dict[str, int]] = {
    "gemma_2b": {"hidden_size": 2048, "intermediate_size": 16384, "num_hidden_layers": 18},
    "gemma_300m": {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 18},
}
HEADS = {"num_attention_heads": 8, "num_key_value_heads": 1, "head_dim": 256}
SO400M = {"hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 27, "num_attention_heads": 16,
          "image_size": 224, "patch_size": 14, "vision_use_head": False}  # fmt: skip
WORDS = 257152


def sized(
    vision: Mapping[str, Any],
    language: Mapping[str, Any],
    expert: Mapping[str, Any],
    vocabulary: int,
    **rest: Any,
) -> Any:
    """A ``PI0Config`` of transformers.

    Args:
        vision, language, expert: sizes of SigLIP and of both Gemmas.
        vocabulary: words.
        rest: entries of ``PI0Config``, such as ``chunk_size``.
    """
    from transformers import PI0Config

    text = {"model_type": "gemma", **language, "vocab_size": vocabulary}
    return PI0Config(
        vlm_config={
            "model_type": "paligemma",
            "text_config": text,
            "vision_config": {"model_type": "siglip_vision_model", **vision},
            "hidden_size": language["hidden_size"],
            "projection_dim": language["hidden_size"],
            "image_token_id": vocabulary,
        },
        dit_config={"model_type": "gemma", **expert, "vocab_size": vocabulary},
        **rest,
    )


def read_config(folder: Path) -> Any:
    """The ``PI0Config`` of a folder, whichever of ``LAYOUTS`` its ``config.json`` has.

    Raises:
        FileError: naming the file and what is wrong with it.
    """
    file = Path(folder) / "config.json"
    values = read_json(file)
    try:
        if values.get("type") in ("pi0", "pi05"):
            return _variants(values, "chunk_size", "max_state_dim", "max_action_dim")
        if "action_horizon" in values:
            return _variants(values, "action_horizon", "action_dim", "action_dim")
        if values.get("model_type") in ("pi0", "pi05"):
            from transformers import PI0Config

            known = {key: value for key, value in values.items() if key != "model_type"}
            return PI0Config(**known)
    except (TypeError, ValueError, KeyError, AttributeError, OptionError) as error:
        raise FileError(f"{file} cannot be used: {error}") from error
    raise FileError(
        f"{file} is of no pi0: it needs model_type (transformers), type (lerobot) or action_horizon (openpi)"
    )


def config_values(config: Any, family: str, layout: str) -> dict[str, Any]:
    """The contents of ``config.json`` in one of ``LAYOUTS``.

    Raises:
        OptionError: if the sizes are of no model that openpi and lerobot have a name for.
    """
    if layout == "transformers":
        return {**config.to_dict(), "model_type": family}
    names = {
        "paligemma_variant": variant_name(config.vlm_config.text_config),
        "action_expert_variant": variant_name(config.dit_config),
    }
    if layout == "openpi":
        return {"action_dim": config.max_action_dim, "action_horizon": config.chunk_size, **names,
                "precision": "bfloat16"}  # fmt: skip
    return {"type": family, "chunk_size": config.chunk_size, "n_action_steps": config.chunk_size,
            "max_state_dim": config.max_state_dim, "max_action_dim": config.max_action_dim,
            "num_inference_steps": config.num_inference_steps,
            "image_resolution": [config.vlm_config.vision_config.image_size] * 2, **names}  # fmt: skip


def _variants(values: Mapping[str, Any], chunk: str, state: str, action: str) -> Any:
    sizes = []
    for name in ("paligemma_variant", "action_expert_variant"):
        variant = values[name].removesuffix("_lora")
        if variant not in GEMMA:
            raise OptionError(f"unknown {name} {values[name]!r}; valid: {', '.join(GEMMA)}")
        sizes.append({**GEMMA[variant], **HEADS})
    language, expert = sizes
    side = values.get("image_resolution", [224])[0]
    return sized(
        {**SO400M, "image_size": side}, language, expert, WORDS,
        chunk_size=values[chunk], max_state_dim=values[state], max_action_dim=values[action],
    )  # fmt: skip


def variant_name(text: Any) -> str:
    """openpi's and lerobot's name of a Gemma's sizes.

    Raises:
        OptionError: if they have none.
    """
    for name, sizes in GEMMA.items():
        if all(getattr(text, entry) == value for entry, value in {**sizes, **HEADS}.items()):
            return name
    raise OptionError(
        f"openpi and lerobot have no name for a Gemma of width {text.hidden_size} and "
        f"{text.num_hidden_layers} layers; use the layout 'transformers'"
    )
