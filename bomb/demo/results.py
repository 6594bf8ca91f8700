"""What the demonstration found out."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SHIPPED = "keypoint"  # the policy that comes with BOMB and plays from pictures


@dataclass(kw_only=True)
class DemoResults:
    """What the page shows; parts that could not be made are empty and ``notes`` says why."""

    expert: dict[str, dict[str, Any]] = field(default_factory=dict)
    policy_name: str | None = None
    policy: dict[str, dict[str, Any]] = field(default_factory=dict)
    parity: dict[str, Any] | None = None
    sheets: list[tuple[Path, str]] = field(default_factory=list)
    cameras: Path | None = None
    video: tuple[Path, str] | None = None
    notes: list[str] = field(default_factory=list)
