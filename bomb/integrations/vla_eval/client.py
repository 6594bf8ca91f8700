"""A model server of vla-evaluation-harness as a policy: ``--policy vla-eval://host:port``."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from bomb.integrations.vla_eval.address import parse_address
from bomb.integrations.vla_eval.wire import Wire
from core.control.actions import ActionSpec
from core.errors import ConventionError, PolicyConnectionError, PolicyError, PolicyOutputError
from core.policy import Policy

Told = TypeVar("Told")


class VlaEvalPolicy(Policy):
    """Asks a model server for every action, or for every chunk where it sends chunks.

    The server keeps the state of an episode: what fails in the middle of one is an error of that episode,
    and the next one connects anew. The policy's seed travels in the task of EPISODE_START.

    Args:
        words: ``host:port?option=value&...``; see ``bomb.integrations.vla_eval.address``.

    Raises:
        OptionError, UnknownNameError: if the words cannot be read.
        PolicyConnectionError: if nobody listens there.
        ConventionError: if the server declares actions or a state that contradict the options.
    """

    takes_words = True
    wants_action_spec = True

    def __init__(self, words: str):
        self._address = parse_address(words)
        self._wire: Wire | None = None
        self._playing = False
        self._hello = self._connect()
        self.cameras = self._address.layout.cameras(
            self._hello.get("observation_spec", {}), self._hello.get("observation_params", {})
        )

    def reset(self, instruction: str, seed: int, *, action_spec: ActionSpec | None = None) -> None:
        """Ends the last episode at the server and begins the next.

        Raises:
            ConventionError: if the environment is of another action mode than the options say.
            PolicyConnectionError: if the server is gone and does not come back.
        """
        mode = self._address.convention.action_mode
        if action_spec is not None and action_spec.mode != mode:
            raise ConventionError(
                f"{self._address.uri} is taken to send {mode!r} actions, the environment is of "
                f"{action_spec.mode!r}; the option action_mode says which"
            )
        if self._wire is not None and self._playing:
            self._tell(lambda wire: wire.end_episode({"metrics": {}}), may_fail=True)
        self._playing = False
        if self._wire is None:
            hello = self._connect()
            if hello != self._hello:
                raise ConventionError(
                    f"another server answers at {self._address.uri} than before: {str(hello)[:200]!r}"
                )
        # The policy's seed for an index, too: counting episodes in their order would tell which scene it is.
        task = {"name": instruction, "suite": "bomb", "seed": int(seed), "episode_idx": int(seed)}
        self._tell(lambda wire: wire.start_episode(task))
        self._playing = True

    def act(self, observation: dict[str, Any]) -> npt.NDArray[np.float32]:
        """The server's answer, float32[k, 4].

        Raises:
            PolicyTimeoutError, PolicyConnectionError, PolicyError: if there is none.
            ConventionError: if the observation lacks a picture that the server asks for.
            PolicyOutputError: if the answer is not what the options say.
        """
        message = self._address.layout.message(observation)
        self._address.layout.check_pictures(
            self._hello.get("observation_spec", {}), self._hello.get("observation_params", {}), message
        )
        answer = self._tell(lambda wire: wire.ask(message))
        if not isinstance(answer, dict) or "actions" not in answer:
            raise PolicyOutputError(f"{self._address.uri} sent no 'actions': {str(answer)[:200]!r}")
        return self._address.convention.to_bomb(answer["actions"])

    def describe(self) -> dict[str, Any]:
        """Who the server says it is, what it declares, and what BOMB takes its numbers for."""
        convention, layout = self._address.convention, self._address.layout
        return {
            "server": self._address.uri,
            "hello": self._hello,
            "action_mode": convention.action_mode,
            "rotation": convention.rotation,
            "gripper": convention.gripper,
            "delta_scale": convention.delta_scale,
            "state": layout.state,
            "names": list(layout.names),
        }

    def close(self) -> None:
        """Ends the episode at the server and hangs up."""
        if self._wire is not None and self._playing:
            self._tell(lambda wire: wire.end_episode({"metrics": {}}), may_fail=True)
        self._hang_up()

    def _connect(self) -> dict[str, Any]:
        address = self._address
        wire = Wire(address.uri, timeout=address.timeout, connect_timeout=address.connect_timeout)
        found = [
            *address.convention.mismatches(wire.hello.get("action_spec", {})),
            *address.layout.mismatches(wire.hello.get("observation_spec", {})),
        ]
        wants = wire.hello.get("observation_params", {})
        if wants.get("send_state") and address.layout.state == "none":
            found.append("state: the server asks for it, and state is 'none'")
        mode = address.convention.action_mode
        if wants.get("absolute_action", mode == "absolute") != (mode == "absolute"):
            found.append(f"position: the server asks for {wants}, and action_mode is {mode!r}")
        if found:
            wire.close()
            raise ConventionError(f"{address.uri} and BOMB do not mean the same: {'; '.join(found)}")
        self._wire = wire
        return wire.hello

    def _tell(self, what: Callable[[Wire], Told], *, may_fail: bool = False) -> Told | None:
        """``what(wire)``; None where it failed and may.

        After a failure the connection is given up, as nobody knows what comes over it.
        """
        try:
            if self._wire is None:
                raise PolicyConnectionError(f"there is no connection to {self._address.uri}")
            return what(self._wire)
        except PolicyError:
            self._hang_up()
            if not may_fail:
                raise
            return None

    def _hang_up(self) -> None:
        if self._wire is not None:
            self._wire.close()
        self._wire, self._playing = None, False
