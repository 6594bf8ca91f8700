"""``vla-eval://host:port?rotation=ignored``: where a server is, and what its numbers mean."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bomb.integrations.actions import ActionConvention
from bomb.integrations.vla_eval.observations import ObservationLayout
from core.errors import OptionError, UnknownNameError

DEFAULT_PORT = 8000  # of vla-eval's servers

ACTION_OPTIONS = ("action_mode", "rotation", "gripper")
OPTIONS = (*ACTION_OPTIONS, "delta_scale", "state", "names", "timeout", "connect_timeout")


@dataclass(frozen=True, kw_only=True)
class ServerAddress:
    """A model server of vla-eval, and what its numbers mean.

    Attributes:
        uri: ``ws://host:port``.
        convention: of its actions.
        layout: of what it is sent.
        timeout: how long it may take over an answer (s).
        connect_timeout: for how long a connection is tried (s); a server that loads weights is not there yet.
    """

    uri: str
    convention: ActionConvention = field(default_factory=ActionConvention)
    layout: ObservationLayout = field(default_factory=ObservationLayout)
    timeout: float = 60.0
    connect_timeout: float = 10.0


def parse_address(words: str) -> ServerAddress:
    """Reads ``host[:port][?option=value&...]``.

    Raises:
        OptionError: if there is no host, or an option has a value that is not allowed.
        UnknownNameError: for an unknown option, listing the valid ones.
    """
    try:
        parts = urlsplit(f"ws://{words.strip()}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise OptionError(f"vla-eval://{words} is not an address: {error}") from error
    if not host or parts.path.strip("/"):
        raise OptionError(f"vla-eval://{words} must be vla-eval://host:port, options after a '?'")
    try:
        pairs = parse_qsl(parts.query, strict_parsing=True) if parts.query else []
    except ValueError as error:
        raise OptionError(f"vla-eval://{words}: options are name=value, separated by '&'") from error
    options = dict(pairs)
    for name in options:
        if name not in OPTIONS:
            raise UnknownNameError("option of vla-eval://", name, OPTIONS)
    numbers = {
        name: _number(name, options[name])
        for name in ("timeout", "connect_timeout", "delta_scale")
        if name in options
    }
    convention: dict[str, Any] = {name: options[name] for name in ACTION_OPTIONS if name in options}
    if "delta_scale" in numbers:
        convention["delta_scale"] = numbers.pop("delta_scale")
    names = tuple(options["names"].split(",")) if "names" in options else ()
    state = {"state": options["state"]} if "state" in options else {}
    host = f"[{host}]" if ":" in host else host
    return ServerAddress(
        uri=f"ws://{host}:{port or DEFAULT_PORT}",
        convention=ActionConvention(**convention),
        layout=ObservationLayout(names=names, **state),
        **numbers,
    )


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise OptionError(f"{name} must be a positive number, got {text!r}")
    return value
