"""What the gripper has done so far, told from what was commanded and what its opening is."""

HALF = 0.5  # a commanded opening below this asks for a closed gripper
SHUT, WIDE = 0.22, 0.75  # measured openings between these are those of a gripper around a stone
CLOSED_FOR = 4  # actions that closing takes


class GripperHistory:
    """Of one episode.

    Attributes:
        since: actions since the commanded opening changed between open and closed.
        holds: whether a stone is in the hand.
        missed: whether the hand is closed on nothing.
        released: whether a stone was let go, and none grasped since.
    """

    def __init__(self) -> None:
        self.since, self.holds, self.missed, self.released = 30, False, False, False
        self._closed = False

    def acted(self, commanded: float) -> None:
        """Takes note of an action.

        Args:
            commanded: the opening that it asks for, 0 to 1.
        """
        closed = commanded < HALF
        if closed != self._closed:
            self.since, self._closed = 0, closed
        else:
            self.since += 1

    def saw(self, measured: float) -> None:
        """Takes note of what the opening is now.

        Args:
            measured: 0 to 1.
        """
        if not self._closed:
            self.released = self.released or self.holds
            self.holds = self.missed = False
        elif self.since >= CLOSED_FOR:
            self.holds = SHUT < measured < WIDE
            self.missed = measured <= SHUT
            self.released = self.released and not self.holds
