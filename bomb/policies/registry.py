"""The policies by name: BOMB's own, those of the entry-point group ``bomb.policies``, and yours."""

from core.registry import Registry

POLICIES = Registry(
    "policy",
    "bomb.policies",
    {
        "expert": "bomb.policies.expert:Expert",
        "varied_expert": "bomb.policies.varied:VariedExpert",
        "random": "bomb.policies.simple:RandomPolicy",
        "hold": "bomb.policies.simple:HoldPolicy",
        "noisy_expert": "bomb.policies.noisy:NoisyExpert",
        "replay": "bomb.policies.replay:Replay",
        "blind": "bomb.policies.wrappers:Blind",
        "mute": "bomb.policies.wrappers:Mute",
        "pi0": "bomb.models.pi0.policy:Pi0Policy",
    },
    home="bomb.policies.registry:POLICIES",
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
