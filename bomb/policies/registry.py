"""The policies by name and by address: BOMB's own, other people's by entry point, and yours.

The entry-point groups are ``bomb.policies``, and ``bomb.policy_schemes`` for what stands before the ``://``
of an address.
"""

from core.registry import Registry

POLICIES = Registry(
    "policy",
    "bomb.policies",
    {
        "expert": "bomb.policies.expert:Expert",
        "varied_expert": "bomb.policies.varied:VariedExpert",
        "random": "bomb.policies.simple:RandomPolicy",
        "hold": "bomb.policies.simple:HoldPolicy",
        "push": "bomb.policies.push:Push",
        "feeler": "bomb.policies.feeler:Feeler",
        "noisy_expert": "bomb.policies.noisy:NoisyExpert",
        "replay": "bomb.policies.replay:Replay",
        "blind": "bomb.policies.wrappers:Blind",
        "mute": "bomb.policies.wrappers:Mute",
        "masked": "bomb.explanation.masked:Masked",
        "keypoint": "bomb.models.keypoint.policy:KeypointPolicy",
        "small-vla": "bomb.models.small.policy:SmallVLAPolicy",
        "vla": "bomb.models.policy:VLAPolicy",
        "vla_history": "bomb.models.policy:VLAHistoryPolicy",
    },
    home="bomb.policies.registry:POLICIES",
)

# What stands before "://" of an address: class of the policy, made with what stands behind it.
SCHEMES = Registry(
    "policy address",
    "bomb.policy_schemes",
    {
        "openpi": "bomb.integrations.openpi.client:OpenpiPolicy",
        "vla-eval": "bomb.integrations.vla_eval.client:VlaEvalPolicy",
    },
    home="bomb.policies.registry:SCHEMES",
)


def list_policies() -> list[str]:
    """Names that ``make_policy`` takes."""
    return POLICIES.names()


def register_policy(name: str, target: str) -> None:
    """Adds a policy, also in the worker processes that are started afterwards.

    Args:
        name: lower-case name that ``make_policy`` and ``--policy`` take.
        target: import string of a ``core.Policy`` class, ``"module:Class"``, imported when it is first used.

    Raises:
        RegistrationError: if the name is taken by another target, or the target is malformed.
    """
    POLICIES.register(name, target)


def register_policy_scheme(name: str, target: str) -> None:
    """Adds a kind of address, also in the worker processes that are started afterwards.

    Args:
        name: what stands before ``://``.
        target: import string of a ``core.Policy`` class, ``"module:Class"``; it is made with the words that
            stand behind ``://``.

    Raises:
        RegistrationError: if the name is taken by another target, or the target is malformed.
    """
    SCHEMES.register(name, target)
