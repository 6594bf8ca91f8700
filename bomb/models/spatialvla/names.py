"""Names of parameters in the public files, and in transformers' classes of today.

The files were written with transformers 4.47. Since then SigLIP has lost a level, and BEiT (in ZoeDepth) has
gained one and other words.
"""

BEIT = (
    ("attention.attention.query", "attention.q_proj"),
    ("attention.attention.key", "attention.k_proj"),
    ("attention.attention.value", "attention.v_proj"),
    ("attention.output.dense", "attention.o_proj"),
    ("intermediate.dense", "mlp.fc1"),
    ("output.dense", "mlp.fc2"),
)
TOWER, ZOE = "vision_tower.", "vision_zoe_model.backbone."


def ours(key: str) -> str:
    """The name here of a name in the files."""
    if key.startswith(f"{TOWER}vision_model."):
        return TOWER + key.removeprefix(f"{TOWER}vision_model.")
    if not key.startswith(ZOE):
        return key
    rest = key.removeprefix(ZOE).replace("encoder.layer.", "layers.")
    for old, new in BEIT:
        if f".{old}." in rest:
            rest = rest.replace(f".{old}.", f".{new}.")
            break
    return f"{ZOE}beit.{rest}"


def public(key: str) -> str:
    """The name in the files of a name here."""
    if key.startswith(TOWER):
        return f"{TOWER}vision_model." + key.removeprefix(TOWER)
    if not key.startswith(f"{ZOE}beit."):
        return key
    rest = key.removeprefix(f"{ZOE}beit.").replace("layers.", "encoder.layer.")
    for old, new in BEIT:
        if f".{new}." in rest:
            rest = rest.replace(f".{new}.", f".{old}.")
            break
    return ZOE + rest
