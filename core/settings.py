"""How episodes run: what ``make_task`` was asked for beside the task itself."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class EpisodeOptions:
    """How episodes run.

    Attributes:
        split: which family of seeds.
        max_steps: actions until an episode is truncated.
        stop_on_success: whether it ends when success first holds.
        stop_on_wrong_move: whether it ends when a wrong move is seen; see ``core.judge.referee``.
        supersample: pictures are rendered this many times larger and filtered down.
    """

    split: str = "test"
    max_steps: int = 400
    stop_on_success: bool = False
    stop_on_wrong_move: bool = False
    supersample: int = 1
