"""Archives of others: what headers promise is compared with what is there before memory is asked for."""

import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from bomb.policies.making import make_policy
from core.episode import archive
from core.episode.archive import read_archive, read_array
from core.errors import BombError, StateError


def npy(header: str, data: bytes = b"") -> bytes:
    text = header.encode("latin1")
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def promises(shape: str, descr: str = "'<f4'") -> bytes:
    return npy(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n", bytes(16))


def npz(array: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("actions.npy", array)
    return stream.getvalue()


HOSTILE = {
    "ten gigabytes": (promises("(2684354560,)"), "has 10737418240 bytes, here are 16"),
    "more than there are numbers": (promises("(9223372036854775807, 9223372036854775807)"), "here are 16"),
    "less than nothing": (promises("(-1,)"), "here are 16"),
    "objects": (promises("(2,)", "'|O'"), "Python objects"),
    "no kind": (promises("(2,)", "'nonsense'"), "no NumPy array"),
    "nested brackets": (npy("[" * 60_000), "no NumPy array"),
    "a header that ends early": (b"\x93NUMPY\x01\x00\xff\xff{", "no NumPy array"),
    "another version": (b"\x93NUMPY\x09\x00" + bytes(20), "no NumPy array"),
    "nothing": (b"", "no NumPy array"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_header_is_not_believed(name):
    data, words = HOSTILE[name]
    tracemalloc.start()
    try:
        for read, given in ((read_array, data), (read_archive, npz(data))):
            with pytest.raises(StateError, match=words) as caught:
                read(given)
            assert "\n" not in str(caught.value) and len(str(caught.value)) < 500
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()


def test_what_unpacks_to_more_than_an_episode_may_have_is_refused(monkeypatch):
    monkeypatch.setattr(archive, "LARGEST", 1000)
    stream = io.BytesIO()
    np.savez_compressed(stream, actions=np.zeros(1000, np.float32))
    with pytest.raises(StateError, match="unpacks to 4128 bytes, more than 1000"):
        read_archive(stream.getvalue())


def test_a_policy_that_is_such_a_file_is_refused(tmp_path):
    data = HOSTILE["ten gigabytes"][0]
    for name, content in (("a.npy", data), ("a.npz", npz(data))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BombError, match="has 10737418240 bytes, here are 16"):
            make_policy(f"replay({tmp_path / name})")
