"""Auxiliary objectives: what a model is to know beside what it is to do."""

from dataclasses import dataclass

from core.errors import POSITIVE, Number, check_numbers

OBJECTIVES = ("cell", "pixel", "contrast", "occupancy")
WEIGHT = Number(whole=False, least=0)


@dataclass(frozen=True, kw_only=True)
class AuxiliaryRecipe:
    """Weights of the objectives; 0 leaves one out. Their heads are dropped when the model plays.

    Attributes:
        cell: row and column of the target out of the words (cross-entropy over the cells).
        pixel: the patch that the target lies in, pointed at by the words (cross-entropy over the patches of
            each camera that sees it).
        contrast: the words and the patch of their target find each other (InfoNCE both ways). Negatives are
            the other targets of the batch and, for the words, the same sentence with row and column
            exchanged; it is asked once more for that, which doubles the cost of a step.
        occupancy: what stands on every intersection (empty, black, white) out of the patches.
        layer: of the language stream that is read, from the input on; -1 is the last.
        width: of the heads.
        lines: of the board, on each side.
        temperature: of ``contrast``; 0.07 is where CLIP starts.
    """

    cell: float = 0.0
    pixel: float = 0.0
    contrast: float = 0.0
    occupancy: float = 0.0
    layer: int = -1
    width: int = 128
    lines: int = 5
    temperature: float = 0.07

    def __post_init__(self) -> None:
        check_numbers(
            self,
            {
                **dict.fromkeys(OBJECTIVES, WEIGHT), "layer": Number(), "width": POSITIVE, "lines": POSITIVE,
                "temperature": Number(whole=False, above=0),
            },
        )  # fmt: skip

    @property
    def wanted(self) -> dict[str, float]:
        """The weights that are not 0, by objective."""
        return {name: getattr(self, name) for name in OBJECTIVES if getattr(self, name)}
