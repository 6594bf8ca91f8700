"""FAST tokens: the public numbers, and a fit of one's own."""

import numpy as np
import pytest

from bomb.disk.files import FileError
from bomb.models.codecs.fast import ABOUT, Fast, state_bins
from core.errors import OptionError

SAYABLE = [k for k in range(17) if k not in (12, 16)]  # in two chunks a number is out of the fitted range


@pytest.fixture(scope="module")
def given(reference) -> dict:
    return reference.arrays("fast_tokenizer")


@pytest.fixture(scope="module")
def public(reference) -> Fast:
    from tokenizers import Tokenizer

    about = reference.json("fast_tokenizer_config")
    tokenizer = Tokenizer.from_file(str(reference.weights("x").parent / "fast_bpe_tokenizer.json"))
    return Fast(tokenizer=tokenizer, least=about["min_token"], chunk=10, dims=4, scale=about["scale"])


def padded(tokens) -> np.ndarray:
    found = np.full((len(tokens), 23), -1)
    for k, row in enumerate(tokens):
        found[k, : len(row)] = row
    return found


def test_tokens_are_the_public_ones(given, public):
    chunks = given["test_chunks"]
    np.testing.assert_array_equal(public.coefficients(chunks), given["dct_rounded"])
    tokens = public.encode(chunks)
    np.testing.assert_array_equal(padded(tokens)[SAYABLE], given["ids"][SAYABLE])
    np.testing.assert_allclose(public.decode(tokens)[SAYABLE], given["decoded"][SAYABLE], atol=1e-12)


def test_what_cannot_be_said_is_the_nearest_that_can(given, public):
    """The public code decodes these two chunks as zeros."""
    chunks = given["test_chunks"][[12, 16]]
    assert not given["decoded"][[12, 16]].any()
    away = np.abs(public.decode(public.encode(chunks)) - np.clip(chunks, -2, 2))
    assert away.mean() < np.abs(chunks).mean() / 3
    assert np.isfinite(public.decode([np.array([], dtype=int), np.arange(300)])).all()


def test_a_fit_is_the_public_one_and_comes_back(given, tmp_path):
    made = Fast.fit(given["fit_chunks"], size=512)
    for chunks in (given["fit_chunks"], given["test_chunks"][:12]):
        coefficient = made.coefficients(chunks)
        off = np.abs(made.decode(made.encode(chunks)) - chunks)
        # Half a step of each coefficient, and a unit matrix of cosines.
        assert off.max() <= 0.5 / made.scale * np.sqrt(10) + 1e-9 and coefficient.any()
    made.save(tmp_path)
    again = Fast.load(tmp_path, chunk=10, dims=4)
    for one, other in zip(made.encode(chunks), again.encode(chunks), strict=True):
        np.testing.assert_array_equal(one, other)
    assert sum(map(len, made.encode(given["fit_chunks"]))) < 0.6 * given["fit_chunks"].size


def test_states_are_the_public_words(given):
    np.testing.assert_array_equal(state_bins(given["state_values"]), given["state_bins"])


def test_what_does_not_fit_is_refused(given, public, tmp_path):
    with pytest.raises(OptionError, match="chunks of 10 x 4"):
        public.encode(given["test_chunks"][:, :5])
    with pytest.raises(OptionError, match="size must be at least"):
        Fast.fit(given["fit_chunks"], size=8)
    with pytest.raises(OptionError, match="shape"):
        Fast.fit(given["fit_chunks"][0])
    public.save(tmp_path)
    with pytest.raises(FileError, match="time_horizon 10, the model has 5"):
        Fast.load(tmp_path, chunk=5, dims=4)
    (tmp_path / ABOUT).write_text("{}")
    with pytest.raises(FileError, match="cannot be read"):
        Fast.load(tmp_path, chunk=10, dims=4)
