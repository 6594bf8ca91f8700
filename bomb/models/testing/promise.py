"""How a broken law is told."""

from core.errors import BombError


class VLACheckError(BombError, AssertionError):
    """A model breaks a law of the contract; the message says which, and by how much."""


def require(held: bool, law: str, found: object = "") -> None:
    """Returns if the law was kept.

    Raises:
        VLACheckError: if not.
    """
    if not held:
        raise VLACheckError(f"not so: {law}" + (f" (found {found})" if found != "" else ""))
