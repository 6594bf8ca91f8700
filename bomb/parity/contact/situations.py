"""The situations, by name, in the order of the table."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bomb.parity.contact import closed_hand, free, open_hand
from bomb.parity.contact.courses import Course, Start
from bomb.parity.contact.measures import RIM, STONES, TOOL, Scale, flipped, lifted

Maker = Callable[[np.random.Generator, np.ndarray], Start]


@dataclass(frozen=True, kw_only=True)
class Situation:
    """Something that happens to stones.

    Attributes:
        name: of its rows.
        make: draws one from a stream; its path is moved by the second argument, float64[3] (m).
        scale: how far apart two courses of it are.
        outcome: what may become of it, yes or no; None: nothing.
    """

    name: str
    make: Maker
    scale: Scale = STONES
    outcome: Callable[[Course], bool] | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of its rows: how far apart, bias, the same stones moved, the same outcome."""
        stones = ("moved",) if self.scale is STONES else ()
        return ("mm", "bias_mm", *stones, *(("kappa",) if self.outcome else ()))


SITUATIONS = (
    Situation(name="press", make=closed_hand.press),
    Situation(name="push_table", make=closed_hand.push_on_table),
    Situation(name="push_board", make=closed_hand.push_on_board),
    Situation(name="drag_lightly", make=closed_hand.drag_lightly, scale=TOOL),
    Situation(name="drag_hard", make=closed_hand.drag_hard, scale=TOOL),
    Situation(name="flat_drop", make=free.flat_drop, outcome=flipped),
    Situation(name="tilted_drop", make=free.tilted_drop, outcome=flipped),
    Situation(name="throw", make=open_hand.throw),
    Situation(name="slide", make=free.slide),
    Situation(name="roll", make=free.roll),
    Situation(name="spin", make=free.spin, scale=RIM),
    Situation(name="topple", make=closed_hand.topple),
    Situation(name="random_table", make=closed_hand.random_on_table),
    Situation(name="random_board", make=closed_hand.random_on_board),
    Situation(name="near_miss", make=open_hand.near_miss, outcome=lifted),
    Situation(name="from_above", make=open_hand.from_above, outcome=lifted),
    Situation(name="rim", make=open_hand.rim, outcome=lifted),
    Situation(name="edge", make=open_hand.edge, outcome=lifted),
    Situation(name="neighbour", make=open_hand.neighbour, outcome=lifted),
    Situation(name="two_stones", make=open_hand.two_stones, outcome=lifted),
)
