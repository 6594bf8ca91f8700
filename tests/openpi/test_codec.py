"""Arrays on the wire."""

import math
import re

import msgpack
import numpy as np
import pytest

from bomb.integrations.openpi.codec import CodecError, packb, plain, unpackb
from core.errors import BombError, install_command


@pytest.mark.parametrize("dtype", ["u1", "<i8", ">f4", "<f8", "?", "<f2", "<U5"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3, 4)])
def test_arrays_come_back_as_they_went(dtype, shape):
    array = np.arange(math.prod(shape)).reshape(shape).astype(dtype)
    back = unpackb(packb({"x": array}))["x"]
    assert back.dtype == array.dtype and back.shape == array.shape and np.array_equal(back, array)
    assert back.flags.writeable


def test_arrays_that_are_views_come_back_as_they_look():
    array = np.arange(24).reshape(2, 3, 4)[:, ::-1, ::2].transpose(2, 0, 1)
    assert np.array_equal(unpackb(packb(array)), array)


@pytest.mark.parametrize("value", [np.float32(1.5), np.int64(-3), np.bool_(True), np.float32("nan")])
def test_scalars_keep_their_type(value):
    back = unpackb(packb(value))
    assert type(back) is type(value) and np.array_equal(back, value, equal_nan=True)


def test_the_keys_are_bytes():
    raw = msgpack.unpackb(packb({"a": np.zeros((2, 3), np.uint8)}), raw=False)
    assert raw["a"] == {b"__ndarray__": True, b"data": bytes(6), b"dtype": "|u1", b"shape": [2, 3]}


@pytest.mark.parametrize(
    "value", [np.array([None]), np.zeros(2, complex), np.zeros(2, "V3"), object(), {1, 2}, 2**70]
)
def test_what_cannot_be_sent_is_named(value):
    with pytest.raises(CodecError, match="cannot be sent"):
        packb({"x": value})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        packb({"a": 1})[:-1],
        packb([1]) + b"x",
        msgpack.packb({b"__ndarray__": True, b"data": b"123", b"dtype": "<f4", b"shape": [1]}),
        msgpack.packb({b"__ndarray__": True, b"data": b"1234", b"dtype": "|O", b"shape": [1]}),
        msgpack.packb({b"__ndarray__": True, b"dtype": "<f4", b"shape": [1]}),
        msgpack.packb({b"__ndarray__": True, b"data": b"1234", b"dtype": "elephant", b"shape": [1]}),
    ],
)
def test_damaged_bytes_are_a_typed_error(data):
    with pytest.raises(CodecError):
        unpackb(data)


def test_plain_values_for_json():
    value = {"a": np.arange(2), b"b": b"x", "c": (np.float32(1), float("nan")), "d": {"e": None}}
    assert plain(value) == {"a": [0, 1], "b": "x", "c": [1.0, None], "d": {"e": None}}


def test_without_the_extra_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "msgpack", None)
    with pytest.raises(BombError, match=re.escape(install_command("openpi"))):
        packb({})
