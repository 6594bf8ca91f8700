"""From the words of a command line to a policy.

::

    expert                              a registered name
    noisy_expert(0.004)                 with arguments: plain Python values
    my_lab.policies:Careful(steps=3)    a class of yours
    openpi://localhost:8000             a policy behind an address
    vla-eval://localhost:8000           a model server of vla-evaluation-harness
    blind(openpi://localhost:8000)      a policy around another one
"""

import ast
from importlib import import_module

from core.errors import OptionError, RegistrationError, check_choice
from core.policy import Policy
from core.registry import POLICIES

# What stands before "://" of an address: class of the policy, made with the address.
SCHEMES: dict[str, str] = {
    "vla-eval": "bomb.integrations.vla_eval.client:VlaEvalPolicy",
}


def list_policies() -> list[str]:
    """Names that ``make_policy`` takes."""
    return POLICIES.names()


def make_policy(words: str) -> Policy:
    """The policy that ``words`` describe; see this module.

    Raises:
        UnknownNameError: listing the valid names.
        RegistrationError: if it cannot be imported.
        OptionError: if the words cannot be read, or the policy does not take these arguments.
    """
    kind, arguments = policy_class(words), _arguments(words)
    if getattr(kind, "takes_words", False):
        return kind(arguments if arguments is not None else "")
    args, options = _values(words, arguments)
    try:
        return kind(*args, **options)
    except TypeError as error:
        raise OptionError(f"policy {words!r} cannot be made: {error}") from error


def policy_class(words: str) -> type[Policy]:
    """The class that ``words`` name, without making the policy.

    Raises:
        UnknownNameError, RegistrationError: as ``make_policy``.
    """
    scheme, address, _ = words.partition("://")
    if address and _is_scheme(scheme):
        return _load(SCHEMES[check_choice("policy address", scheme, SCHEMES)])
    name = words.partition("(")[0].strip()
    return _load(name) if ":" in name else POLICIES.load(name)


def _is_scheme(text: str) -> bool:
    return text.replace("-", "_").isidentifier()


def _arguments(words: str) -> str | None:
    """What stands between the outer brackets, or the address; None where there is nothing."""
    scheme, address, place = words.partition("://")
    if address and _is_scheme(scheme):
        return place
    _, bracket, rest = words.strip().partition("(")
    if not bracket:
        return None
    if not rest.endswith(")"):
        raise OptionError(f"policy {words!r} lacks its closing bracket")
    return rest[:-1].strip()


def _values(words: str, arguments: str | None) -> tuple[list, dict]:
    if not arguments:
        return [], {}
    try:
        call = ast.parse(f"f({arguments})", mode="eval").body
        return (
            [ast.literal_eval(value) for value in call.args],
            {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords},
        )
    except (SyntaxError, ValueError) as error:
        raise OptionError(
            f"arguments of policy {words!r} must be plain values, like (0.004) or (steps=3)"
        ) from error


def _load(target: str) -> type[Policy]:
    module, _, attribute = target.partition(":")
    try:
        kind = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise RegistrationError(f"policy {target!r} cannot be imported: {error}") from error
    if not (isinstance(kind, type) and issubclass(kind, Policy)):
        raise RegistrationError(f"policy {target!r} is no subclass of core.Policy")
    return kind
