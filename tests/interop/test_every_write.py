"""Every single write of an export fails once, in three ways; see ``tests/faults``."""

import pytest

from tests.faults.test_every_write import check, dataset, shim
from tests.interop.test_lerobot import site_packages
from tests.interop.test_rlds import tensorflow

__all__ = ["dataset", "shim", "tensorflow"]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("job", ["export", "videos"])
def test_every_write_of_an_export(shim, dataset, tmp_path, job):
    check(shim, dataset, tmp_path, job, 1, 100)


@pytest.mark.timeout(3600)
def test_every_write_of_records(shim, dataset, tmp_path, tensorflow):
    check(shim, dataset, tmp_path, "rlds", 1, 60, packages=str(site_packages(tensorflow)))
