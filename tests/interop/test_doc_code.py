"""The blocks of README and docs that take long; see ``tests/test_doc_code.py``."""

import pytest

from tests.test_doc_code import blocks, run_blocks

HEAVY = {block.place: block.code for block in blocks() if block.mark == "heavy"}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("place", HEAVY)
def test_what_takes_long_runs_as_it_stands(place, tmp_path):
    # A file of its own: what starts workers is read by them again.
    failed = run_blocks({place: HEAVY[place]}, tmp_path)
    assert not failed, failed.get(place)
