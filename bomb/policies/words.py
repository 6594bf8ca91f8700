"""How a policy is written down: ``name(inside)``, ``module:Class(inside)`` or ``scheme://inside``."""

import ast
import re
from dataclasses import dataclass
from typing import Any

from core.errors import OptionError


@dataclass(frozen=True, kw_only=True)
class PolicyWords:
    """The parts of the words for a policy; nothing is looked up or imported.

    Attributes:
        text: all of them.
        name: a registered name, ``"module:Class"``, or what stands before ``"://"``.
        is_address: whether this is an address.
    """

    text: str
    name: str
    is_address: bool

    @classmethod
    def parse(cls, text: str) -> "PolicyWords":
        """Takes words apart."""
        scheme, address, _ = text.partition("://")
        if address and scheme.replace("-", "_").isidentifier():
            return cls(text=text, name=scheme, is_address=True)
        return cls(text=text, name=text.partition("(")[0].strip(), is_address=False)

    @property
    def inside(self) -> str | None:
        """What stands between the outer brackets, or the address; None where there is nothing.

        Raises:
            OptionError: if the brackets are not closed.
        """
        if self.is_address:
            return self.text.partition("://")[2]
        _, bracket, rest = self.text.strip().partition("(")
        if not bracket:
            return None
        if not rest.endswith(")"):
            raise OptionError(f"policy {shortened(self.text)} lacks its closing bracket")
        return rest[:-1].strip()

    @property
    def wrapped(self) -> tuple[str, dict[str, Any]]:
        """What stands in the brackets of a policy around another one: the other's words, and options.

        ``masked(vla(checkpoint='DIR'), span='row')`` has the words ``vla(checkpoint='DIR')`` and one option.

        Raises:
            OptionError: if brackets are not closed, or an option is not a plain value.
        """
        inside = self.inside or ""
        at = _first_option(inside)
        if at is None:
            return inside, {}
        try:
            call = ast.parse(f"f({inside[at + 1 :]})", mode="eval").body
            if not isinstance(call, ast.Call):
                raise ValueError("more than options")
            options = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise OptionError(
                f"options of policy {shortened(self.text)} must be plain values, like span='row'"
            ) from error
        return inside[:at].strip(), options


def _first_option(text: str) -> int | None:
    """Where the comma before the first ``name=`` stands that is in no bracket and no string."""
    depth, quote = 0, ""
    for k, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote and text[k - 1] != "\\" else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif letter == "," and not depth and re.match(r"\s*[A-Za-z_]\w*\s*=", text[k + 1 :]):
            return k
    return None


def shortened(words: str) -> str:
    """Words as a message has them."""
    return repr(words if len(words) <= 120 else f"{words[:120]}...")
