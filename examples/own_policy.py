"""A policy of your own, played in both simulators: ``python -m examples.own_policy``.

This one looks at no picture: it drives the open gripper down in front of the robot and closes it. What it
shows is the loop around a policy, and how a result says why it failed.
"""

import numpy as np

import bomb
import core


class Reacher(core.Policy):
    """Goes down for two seconds, then closes the gripper."""

    def reset(self, instruction: str, seed: int) -> None:
        self.steps = 0

    def act(self, observation: dict) -> np.ndarray:
        # A chunk of ten actions at a time, as vision-language-action models return them.
        down = self.steps < 40
        self.steps += 10
        return np.tile(np.array([0.2, 0.0, -0.4 if down else 0.0, 1.0 if down else 0.0]), (10, 1))


def main() -> None:
    """Plays three episodes in each simulator."""
    for backend in core.list_backends():
        with core.make_task("place_stone", backend=backend, cameras=(), max_steps=80) as env:
            for seed in range(3):
                result = bomb.play(env, Reacher(), seed)
                placement = result.info["placement"]
                print(
                    f"{backend}, seed {seed}: {result.record.about['instruction']!r}: {placement['reason']}"
                )


if __name__ == "__main__":
    main()
