"""All measurements, in the order of the table."""

from typing import Any

from bomb.parity.arm import ArmStudy
from bomb.parity.envelope import EnvelopeStudy
from bomb.parity.expert import ExpertStudy
from bomb.parity.near_misses import NearMissStudy
from bomb.parity.pictures import PictureStudy
from bomb.parity.scorer import ScorerStudy
from bomb.parity.study import Study

STUDIES: tuple[Study[Any], ...] = (
    ArmStudy(),
    ExpertStudy(),
    NearMissStudy(),
    EnvelopeStudy(),
    ScorerStudy(),
    PictureStudy(),
)
