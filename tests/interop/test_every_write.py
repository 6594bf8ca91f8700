"""Every single write of an export fails once, in three ways; see ``tests/faults``."""

import pytest

from tests.faults.test_every_write import check, dataset, shim

__all__ = ["dataset", "shim"]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("job", ["export", "videos"])
def test_every_write_of_an_export(shim, dataset, tmp_path, job):
    check(shim, dataset, tmp_path, job, 1, 100)
