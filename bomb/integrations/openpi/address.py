"""What users type after ``openpi://``."""

import math
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from core.errors import OptionError, check_choice

PORT = 8000  # openpi's own


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a policy server is, and how it is spoken to.

    Attributes:
        place: ``host:port``, with the path of a proxy if there is one.
        mapping: name out of ``bomb.integrations.openpi.mapping``.
        timeout: how long an answer may take (s); the first of a model that is still compiled takes long.
        wait: how long to wait for a server that is not up yet (s).
    """

    place: str
    mapping: str = "bomb"
    timeout: float = 120.0
    wait: float = 0.0

    @classmethod
    def parse(cls, words: str) -> "Address":
        """Reads ``host[:port][/path][?mapping=NAME&timeout=S&wait=S]``.

        Raises:
            OptionError: naming what cannot be read.
            UnknownNameError: for an option that does not exist.
        """
        try:
            parts = urlsplit(f"openpi://{words}")
            host, port = parts.hostname, parts.port or PORT
            options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        except ValueError as error:
            raise OptionError(
                f"openpi://{words} is no address of the form openpi://host:port: {error}"
            ) from error
        if not host or parts.username or parts.fragment:
            raise OptionError(f"openpi://{words} is no address of the form openpi://host:port")
        for name in options:
            check_choice("option of an openpi address", name, ("mapping", "timeout", "wait"))
        seconds = {name: _seconds(name, options.pop(name)) for name in ("timeout", "wait") if name in options}
        host = f"[{host}]" if ":" in host else host
        return cls(place=f"{host}:{port}{parts.path.rstrip('/')}", **options, **seconds)

    def __str__(self) -> str:
        return f"openpi://{self.place}"


def _seconds(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf or (name == "timeout" and value == 0):
        raise OptionError(f"{name} of an openpi address must be a number of seconds, got {text!r}")
    return value
