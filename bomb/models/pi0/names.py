"""Names of pi0's parameters: in openpi's files, in lerobot's (one ``model.`` more), and here.

Hub files have the language model's tied embeddings under the name of its head alone.
"""

PAIRS = (
    ("paligemma_with_expert.paligemma.model.", "model.vlm."),
    ("paligemma_with_expert.paligemma.lm_head.", "model.vlm.language_model.embed_tokens."),
    ("paligemma_with_expert.gemma_expert.model.", "model.dit."),
    ("paligemma_with_expert.gemma_expert.lm_head.", "model.dit.embed_tokens."),
)
EMBEDDED = ("state_proj.", "action_in_proj.", "action_time_mlp_in.", "action_time_mlp_out.")
TOWER, DEEPER = "model.vlm.vision_tower.", "model.vlm.vision_tower.vision_model."
LEROBOT = "model."


def ours(key: str, embedded: bool = True) -> str:
    """The name here of a name in the files.

    Args:
        key: of openpi, lerobot or transformers.
        embedded: whether what embeds state and actions is a module of its own, as in transformers' pi0.
    """
    if key.startswith(LEROBOT + "paligemma_with_expert.") or (
        key.startswith(LEROBOT) and not key.startswith(("model.vlm.", "model.dit."))
    ):
        key = key.removeprefix(LEROBOT)
    for theirs, here in PAIRS:
        if key.startswith(theirs):
            key = here + key.removeprefix(theirs)
            break
    if key.startswith(DEEPER):
        key = TOWER + key.removeprefix(DEEPER)
    if embedded and key.startswith(EMBEDDED):
        return f"embed_action_time.{key}"
    return key


def public(key: str, layout: str) -> str:
    """The name in the files of a name here; the inverse of ``ours``."""
    key = key.removeprefix("embed_action_time.")
    if key.startswith(TOWER):
        key = DEEPER + key.removeprefix(TOWER)
    for theirs, here in sorted(PAIRS, key=lambda pair: -len(pair[1])):
        if key.startswith(here):
            key = theirs + key.removeprefix(here)
            break
    return LEROBOT + key if layout == "lerobot" else key
