"""From the words of a command line to a policy.

::

    expert                              a registered name
    noisy_expert(0.008)                 with arguments: plain Python values
    replay(runs/one.npy)                with its words as they stand
    my_lab.policies:Careful(steps=3)    a class of yours; the working directory is searched, too
    openpi://localhost:8000             a policy behind an address
    vla-eval://localhost:8000           a model server of vla-evaluation-harness
    blind(openpi://localhost:8000)      a policy around another one
    masked(expert, span='row')          the same, with options
"""

import ast
import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from bomb.disk.text import message_of
from bomb.policies.registry import POLICIES, SCHEMES
from bomb.policies.words import PolicyWords, shortened
from core.errors import OptionError, RegistrationError
from core.policy import Policy

MOST_WRAPPERS = 8  # of policies around a policy; more is not a question that anybody has


def make_policy(words: str) -> Policy:
    """The policy that ``words`` describe; see this module.

    Raises:
        UnknownNameError: listing the valid names.
        RegistrationError: if it cannot be imported.
        OptionError: if the words cannot be read, or the policy does not take these arguments.
    """
    policy_class(words)  # refuses wrappers without end
    asked = PolicyWords.parse(words)
    kind, arguments = _named_class(asked), asked.inside
    if getattr(kind, "wraps", False):
        if not arguments:
            raise OptionError(
                f"policy {words!r} needs a policy in its brackets, like {words.strip('() ')}(expert)"
            )
        inside, options = asked.wrapped
        wrapper: Any = kind
        wrapper.check(words, options)
        wrapped: Policy = wrapper.around(make_policy(inside), **options)
        return wrapped
    reading: Callable[[str], Policy] = kind
    if getattr(kind, "takes_words", False) or asked.is_address:
        made: Policy = reading(arguments if arguments is not None else "")
        return made
    args, options = _values(words, arguments)
    try:
        return kind(*args, **options)
    except TypeError as error:
        raise OptionError(f"policy {words!r} cannot be made: {error}") from error


def policy_class(words: str) -> type[Policy]:
    """The class of the policy that decides, without making it; of a wrapper, the class of what is inside.

    So ``policy_class("blind(expert)").privileged`` is true, as it is of the policy that is made.

    Raises:
        UnknownNameError, RegistrationError: as ``make_policy``.
        OptionError: if the brackets are not closed.
    """
    for _ in range(MOST_WRAPPERS):
        asked = PolicyWords.parse(words)
        kind = _named_class(asked)
        if not (getattr(kind, "wraps", False) and asked.inside):
            return kind
        words = asked.wrapped[0]
    raise OptionError(f"policy {shortened(words)} has more than {MOST_WRAPPERS} wrappers around it")


def _named_class(words: PolicyWords) -> type[Policy]:
    if words.is_address:
        return load(SCHEMES.target(words.name))
    if ":" not in words.name:
        kind: type[Policy] = POLICIES.load(words.name)
        return kind
    # As `python -m` does, and the installed command does not. For a class that is named, and nothing else:
    # with an address no file that lies here may be taken for a package.
    if (here := os.getcwd()) not in sys.path:
        sys.path.insert(0, here)
    return load(words.name)


def _values(words: str, arguments: str | None) -> tuple[list[Any], dict[str, Any]]:
    if not arguments:
        return [], {}
    try:
        call: Any = ast.parse(f"f({arguments})", mode="eval").body
        return (
            [ast.literal_eval(value) for value in call.args],
            {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords},
        )
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise OptionError(
            f"arguments of policy {shortened(words)} must be plain values, like (0.008) or (steps=3)"
        ) from error


def load(target: str) -> type[Policy]:
    """The policy class behind ``"module:Class"``.

    Raises:
        RegistrationError: if it cannot be imported, or is not a policy.
    """
    module, _, attribute = target.partition(":")
    try:
        kind = getattr(import_module(module), attribute)
    except Exception as error:  # whatever somebody's module raises
        raise RegistrationError(
            f"policy {target!r} cannot be imported: {type(error).__name__}: {message_of(error)}"
        ) from error
    if not (isinstance(kind, type) and issubclass(kind, Policy)):
        raise RegistrationError(f"policy {target!r} is not a subclass of core.Policy")
    return kind
