"""What a server makes of one connection's requests: whose episode it is, and what is asked."""

from dataclasses import dataclass
from typing import Any

from bomb.integrations.openpi.mapping import TwoWayMapping
from core.control.actions import ActionSpec
from core.errors import Number, OptionError

ECHOED = ("bomb/episode_id", "bomb/step", "bomb/move")  # of a request, in the answers of `bomb serve`
WHOLE = Number(least=0, most=2**63 - 1)
PLAIN_HZ = 20  # what a client is taken to run at that does not say, as openpi's does not


@dataclass(frozen=True, kw_only=True, eq=False)
class Turn:
    """One request, read.

    Attributes:
        observation: as ``Policy.act`` gets it.
        seed, step: of the episode, and actions executed so far in it.
        spec: what actions mean to the client.
        begins: whether the policy is to be reset first.
        proceeds: whether the next move has begun since the last request.
    """

    observation: dict[str, Any]
    seed: int
    step: int
    spec: ActionSpec
    begins: bool
    proceeds: bool


class Session:
    """The episodes of one connection.

    A new ``bomb/episode_id`` begins an episode, a new ``bomb/move`` in it the next move. A client that sends
    none, like openpi's own, begins one with its first request and with every other prompt; its seed is 0 and
    its step the number of its requests in the episode, because that is all there is to know.
    """

    def __init__(self, mapping: TwoWayMapping):
        self._mapping = mapping
        self._episode: object = None
        self._move: object = None
        self._requests = 0

    def read(self, request: object) -> Turn:
        """Reads the next request.

        Raises:
            OptionError: if it is not a map, lacks what the mapping needs, or an extra key is wrong.
        """
        if not isinstance(request, dict):
            raise OptionError(f"a request must be a map, got a {type(request).__name__}")
        observation = self._mapping.observation(request)
        words = observation["instruction"]
        if not isinstance(words, str):
            raise OptionError(f"prompt must be text, got {words!r}")
        if not isinstance(request.get("bomb/episode_id", ""), str | int):
            raise OptionError("bomb/episode_id must be text or an integer")
        plain = "bomb/episode_id" not in request
        episode = ("prompt", words) if plain else ("id", request["bomb/episode_id"])
        move = _whole(request, "bomb/move", 0)
        begins = episode != self._episode
        self._requests = 0 if begins else self._requests
        turn = Turn(
            observation=observation,
            seed=_whole(request, "bomb/seed", 0),
            step=_whole(request, "bomb/step", self._requests),
            spec=ActionSpec(
                mode=request.get("bomb/action_mode", "delta"),
                control_hz=_whole(request, "bomb/control_hz", PLAIN_HZ),
            ),
            begins=begins,
            proceeds=not begins and move != self._move,
        )
        self._mapping.check_spec(turn.spec)
        self._episode, self._move = episode, move
        self._requests += 1
        return turn


def _whole(request: dict[str, Any], key: str, default: int) -> int:
    value: int = request.get(key, default)
    if not WHOLE.holds(value):
        raise OptionError(f"{key} must be a non-negative integer below 2^63, got {str(value)[:60]!r}")
    return value
