"""Names of model families and of backbones; nothing is imported before it is asked for.

A new family is one file or folder with a subclass of ``bomb.models.vla.VLA``, and a line here. A new
backbone is one file with a subclass of ``bomb.models.backbones.base.Backbone``, and a line here. Other
packages add theirs through the entry-point groups ``bomb.models`` and ``bomb.backbones``.
"""

from core.registry import Registry

FAMILIES = Registry(
    "model family",
    "bomb.models",
    {
        "openvla": "bomb.models.openvla.family:OpenVLA",
        "openvla-oft": "bomb.models.oft.family:OpenVLAOFT",
        "spatialvla": "bomb.models.spatialvla.family:SpatialVLA",
        "vlm4vla": "bomb.models.vlm4vla:VLM4VLA",
        "pi0": "bomb.models.pi0.family:Pi0",
        "pi05": "bomb.models.pi0.pi05:Pi05",
        "pi0-fast": "bomb.models.pi0_fast.family:Pi0Fast",
        "smolvla": "bomb.models.smolvla.family:SmolVLA",
        "motus": "bomb.models.motus.family:Motus",
        "small": "bomb.models.small.family:SmallVLA",
        "robovlms/one_step_discrete": "bomb.models.robovlms.discrete:OneStepDiscrete",
        "robovlms/one_step_continuous": "bomb.models.robovlms.continuous:OneStepContinuous",
        "robovlms/interleaved": "bomb.models.robovlms.continuous:Interleaved",
        "robovlms/policy_head": "bomb.models.robovlms.continuous:PolicyHead",
    },
    home="bomb.models.registry:FAMILIES",
)
BACKBONES = Registry(
    "backbone",
    "bomb.backbones",
    {
        "smolvlm": "bomb.models.backbones.smolvlm:SmolVLM",
        "paligemma": "bomb.models.backbones.paligemma:PaliGemma",
        "paligemma2": "bomb.models.backbones.paligemma:PaliGemma2",
        "qwen2_5_vl": "bomb.models.backbones.qwen2_5_vl:Qwen25VL",
        "qwen3_vl": "bomb.models.backbones.qwen3_vl:Qwen3VL",
        "llava": "bomb.models.backbones.llava:Llava",
        "kosmos2": "bomb.models.backbones.kosmos2:Kosmos2",
        "florence2": "bomb.models.backbones.florence2:Florence2",
    },
    home="bomb.models.registry:BACKBONES",
)

# What families are put together from beside backbones, by name the module.
CODECS = {
    "bins": "bomb.models.codecs.bins",
    "spatial": "bomb.models.codecs.spatial",
    "fast": "bomb.models.codecs.fast",
    "continuous": "bomb.models.codecs.normalising",
}
HEADS = {
    "tokens": "bomb.models.tokens",
    "parallel-chunk": "bomb.models.heads.resnet",
    "action-query": "bomb.models.heads.regression",
    "recurrent": "bomb.models.heads.recurrent",
    "diffusion": "bomb.models.heads.ddim",
    "flow": "bomb.models.flow_vla",
}
