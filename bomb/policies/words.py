"""How a policy is written down: ``name(inside)``, ``module:Class(inside)`` or ``scheme://inside``."""

from dataclasses import dataclass

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


def shortened(words: str) -> str:
    """Words as a message has them."""
    return repr(words if len(words) <= 120 else f"{words[:120]}...")
