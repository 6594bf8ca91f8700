"""What users type after ``openpi://``."""

import math
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from core.errors import OptionError, check_choice

PORT = 8000  # openpi's own
NUMBERS = {"timeout": 1e-3, "wait": 0.0, "delta_scale": 1e-6}  # options and the least that they may be


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a policy server is, and how it is spoken to.

    Attributes:
        place: ``host:port``, with the path of a proxy if there is one.
        mapping: name out of ``bomb.integrations.openpi.mapping``.
        timeout: how long an answer may take (s); the first of a model that is still compiled takes long.
        wait: how long to wait for a server that is not up yet (s).
        delta_scale: what the model's delta of 1 is in BOMB's, which is 20 mm at 20 Hz; None: as the mapping
            has it. Only of mappings whose deltas have no unit.
    """

    place: str
    mapping: str = "bomb"
    timeout: float = 120.0
    wait: float = 0.0
    delta_scale: float | None = None

    @classmethod
    def parse(cls, words: str) -> "Address":
        """Reads ``host[:port][/path][?mapping=NAME&timeout=S&wait=S&delta_scale=X]``.

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
                f"openpi://{words} is not an address of the form openpi://host:port: {error}"
            ) from error
        if not host or parts.username or parts.fragment:
            raise OptionError(f"openpi://{words} is not an address of the form openpi://host:port")
        for name in options:
            check_choice("option of an openpi address", name, ("mapping", *NUMBERS))
        numbers = {name: _number(name, options.pop(name)) for name in NUMBERS if name in options}
        said: dict[str, Any] = {**options, **numbers}
        host = f"[{host}]" if ":" in host else host
        return cls(place=f"{host}:{port}{parts.path.rstrip('/')}", **said)

    def __str__(self) -> str:
        return f"openpi://{self.place}"


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not NUMBERS[name] <= value < math.inf:
        raise OptionError(f"{name} of an openpi address must be a number >= {NUMBERS[name]:g}, got {text!r}")
    return value
