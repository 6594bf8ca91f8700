"""OpenVLA's pictures and towers, against the public implementation and transformers."""

from dataclasses import replace

import numpy as np
import torch

from bomb.models.openvla.config import published
from bomb.models.openvla.seeing import prepare, process
from bomb.models.openvla.towers import Tower
from bomb.models.pictures import centre_crop, jpeg, lanczos_tf
from tests.models.conftest import close


def test_pictures_are_processed_as_in_public(reference):
    found = reference.arrays("openvla_image_processor")
    plain = replace(published(), strategy="resize-naive")
    made = process(found["image"], plain)
    close(np.rint((made[3:] * 0.5 + 0.5) * 255).astype(np.uint8), found["pixel_values_naive_u8"], 0)
    close(made[:, ::8], found["pixel_values_naive_f16_rows"], 2e-3)
    big = process(found["image_big"], plain)
    close(np.rint((big[3:, ::4] * 0.5 + 0.5) * 255).astype(np.uint8), found["big_u8_rows"], 0)
    for strategy, name in (("letterbox", "letterbox_f16_rows"), ("resize-crop", "crop_f16_rows")):
        made = process(found["image"], replace(plain, strategy=strategy))
        close(made[:, ::8], found[name], 2e-3)


def test_cropping_and_resizing_are_tensorflows(reference):
    found = reference.arrays("openvla_tf_image")
    image, big = found["image224"], reference.arrays("openvla_image_processor")["image_big"]
    away = abs(centre_crop(image, 0.9).astype(int) - found["center_crop"])
    assert away.max() <= 1 and (away > 0).mean() < 1e-3
    away = abs(lanczos_tf(big, 224, 224)[::4].astype(int) - found["lanczos_rows"])
    assert away.max() <= 1 and (away > 0).mean() < 1e-3
    away, without = (abs(p[::8].astype(int) - found["jpeg_decoded_rows"]).mean() for p in (jpeg(big), big))
    assert away < 2 < 12 < without
    away = abs(centre_crop(big, 0.9, (224, 224))[::4].astype(int) - found["center_crop_big_rows"])
    assert away.max() <= 1 and (away > 0).mean() < 1e-3
    away = abs(
        prepare(big, 224, resizing="lanczos_tf_jpeg", crop=None)[::4].astype(int)
        - found["policy_resize_jpeg_rows"]
    )
    assert away.mean() < 2


def test_towers_are_those_of_transformers():
    """An independent implementation of both towers, with other names of the same weights."""
    from transformers import SiglipVisionConfig, SiglipVisionModel

    from bomb.models.openvla.building import SMALL_TOWERS

    torch.manual_seed(0)
    sizes = SMALL_TOWERS[1]
    ours = Tower(sizes, 56).eval()
    torch.nn.init.normal_(ours.pos_embed)
    theirs = SiglipVisionModel(
        SiglipVisionConfig(hidden_size=24, intermediate_size=40, num_hidden_layers=3, num_attention_heads=3,
                           image_size=56, patch_size=14, hidden_act="gelu", vision_use_head=False)
    ).eval()  # fmt: skip
    state = {}
    for key, value in ours.state_dict().items():
        if key.startswith(("attn_pool", "norm")):
            continue
        key = key.replace("patch_embed.proj", "embeddings.patch_embedding").replace(
            "blocks.", "encoder.layers."
        )
        key = (
            key.replace("norm1", "layer_norm1")
            .replace("norm2", "layer_norm2")
            .replace("attn.proj", "self_attn.out_proj")
        )
        if "attn.qkv" in key:
            for part, name in zip(value.chunk(3), "qkv", strict=True):
                state[key.replace("attn.qkv", f"self_attn.{name}_proj")] = part
        elif key == "pos_embed":
            state["embeddings.position_embedding.weight"] = value[0]
        else:
            state[key] = value
    prefix = next(iter(theirs.state_dict())).partition("embeddings")[0]
    missing = theirs.load_state_dict({prefix + key: value for key, value in state.items()}, strict=False)
    assert not missing.unexpected_keys and all("post_layernorm" in key for key in missing.missing_keys)
    pictures = torch.randn(2, 3, 56, 56)
    with torch.no_grad():
        wanted = theirs(pictures, output_hidden_states=True).hidden_states[2]
        close(ours(pictures), wanted, 2e-5)
