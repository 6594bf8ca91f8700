"""In a worker: the policy that lives in the policy process."""

import time
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.evaluation.jobs import PolicyAddress
from bomb.evaluation.workers.policy_server import NoAnswer
from bomb.rollouts.output import checked_chunk
from core.errors import PolicyConnectionError, PolicyError, PolicyTimeoutError
from core.policy import Policy, Request

PATIENCE_S = 600.0  # for a policy process that is loading its model again
PAUSE_S = 0.2


class PolicyClient(Policy):
    """Asks the policy process, one question at a time.

    Pictures travel pickled through the socket. benchmarks/evaluate_throughput.py says what that costs: far
    less than drawing them, so that memory shared between the processes would gain nothing to speak of.

    Args:
        address: of the policy process.
        timeout: seconds that an answer may take.
        words: of the policy, for messages.
    """

    wants_step = True

    def __init__(self, address: PolicyAddress, timeout: float, words: str):
        self._address, self._timeout, self._words = address, timeout, words
        self._connection: Connection | None = None

    def reset(self, instruction: str, seed: int) -> None:
        self._seed = seed

    def act(self, observation: dict[str, Any], *, step: int) -> npt.NDArray[np.float32]:  # type: ignore[override]  # see wants_step
        request = Request(observation=observation, seed=self._seed, step=step)
        try:
            connection = self.connect()
            connection.send(request)
            if not connection.poll(self._timeout):
                raise PolicyTimeoutError(
                    f"the policy did not answer within {self._timeout:g} s at step {step}",
                    step=step,
                    value=f"no answer in {self._timeout:g} s",
                )
            answer = connection.recv()
        except PolicyError:
            raise  # of these, some are OSErrors
        except (OSError, EOFError) as error:
            raise PolicyConnectionError(
                f"the policy process went away at step {step}: {type(error).__name__}", step=step
            ) from error
        if isinstance(answer, NoAnswer):
            raise answer.kind(answer.message, step=step, value=answer.value)
        return checked_chunk(self._words, answer, step)  # by its own name, not by that of this class

    def connect(self) -> Connection:
        """Waits until the policy process listens, and returns what to ask it through.

        Raises:
            PolicyConnectionError: if it does not in ten minutes.
        """
        deadline = time.monotonic() + PATIENCE_S
        while self._connection is None:
            try:
                self._connection = Client(self._address.place, authkey=self._address.key)
            except (OSError, EOFError, AuthenticationError) as error:
                if time.monotonic() > deadline:
                    raise PolicyConnectionError(
                        f"no policy process at {self._address.place!r} after {PATIENCE_S:g} s: {error}"
                    ) from error
                time.sleep(PAUSE_S)
        return self._connection

    def close(self) -> None:
        """Hangs up, so that a late answer is not taken for another one's."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
