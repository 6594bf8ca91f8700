"""Every single write of an export fails once, in three ways; see ``tests/faults``."""

import pytest

from tests.faults import test_no_place
from tests.faults.test_every_write import check, dataset, shim
from tests.faults.test_no_place import runs
from tests.faults.verbs import SLOW
from tests.interop.test_lerobot import site_packages

__all__ = ["dataset", "runs", "shim"]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("job", ["export", "videos"])
def test_every_write_of_an_export(shim, dataset, tmp_path, job):
    check(shim, dataset, tmp_path, job, 1, 100)


@pytest.mark.timeout(3600)
def test_every_write_of_records(shim, dataset, tmp_path, tensorflow):
    check(shim, dataset, tmp_path, "rlds", 1, 60, packages=str(site_packages(tensorflow)))


@pytest.mark.timeout(3600)
def test_slow_verbs_on_a_full_disk(shim, dataset, runs, tmp_path):
    full = {"LD_PRELOAD": str(shim), "FAULTS_FULL": str(tmp_path)}
    test_no_place.check(tmp_path, dataset, runs, SLOW, full)
