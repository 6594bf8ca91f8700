"""The laws that a VLA must keep: ``bomb.models.testing.check_vla(MyVLA.tiny(...))``, for authors of families.

It asks nothing but the contract of ``bomb.models.vla`` and stops at the first law that is broken, saying
which.
"""

from bomb.models.testing.laws import check_vla
from bomb.models.testing.promise import VLACheckError
from bomb.models.testing.questions import tiny, toy_actions, toy_requests, toy_settings, toy_statistics

__all__ = [
    "VLACheckError",
    "check_vla",
    "tiny",
    "toy_actions",
    "toy_requests",
    "toy_settings",
    "toy_statistics",
]
