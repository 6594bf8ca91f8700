"""Statistics against NumPy on all values at once."""

import numpy as np

from bomb.exports.statistics import PictureHistogram, merged, number_statistics, sampled

QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}


def test_numbers():
    values = np.random.default_rng(0).normal(size=(500, 3)).astype(np.float32)
    found = number_statistics(values)
    assert np.allclose(found["std"], values.std(axis=0), rtol=1e-5) and found["count"].tolist() == [500]
    assert np.array_equal(found["max"], values.max(axis=0)) and found["min"].shape == (3,)
    for name, share in QUANTILES.items():
        assert np.allclose(found[name], np.quantile(values.astype(float), share, axis=0))
    assert number_statistics(np.arange(5))["mean"].tolist() == [2.0]


def test_pictures():
    pictures = np.random.default_rng(1).integers(3, 201, (4, 30, 20, 3)).astype(np.uint8)
    pictures[..., 1] //= 2
    parts = [PictureHistogram(), PictureHistogram()]
    for k, picture in enumerate(pictures):
        parts[k % 2].add(picture)
    found = PictureHistogram.from_dict(merged(parts).to_dict()).statistics()
    flat = pictures.reshape(-1, 3) / 255
    assert found["count"].tolist() == [4] and found["mean"].shape == (3, 1, 1)
    for name, wanted in (
        ("min", flat.min(axis=0)),
        ("max", flat.max(axis=0)),
        ("mean", flat.mean(axis=0)),
        ("std", flat.std(axis=0)),
        *((name, np.quantile(flat, q, axis=0, method="inverted_cdf")) for name, q in QUANTILES.items()),
    ):
        assert np.allclose(found[name].reshape(3), wanted, atol=1e-12), name


def test_depth():
    pictures = np.random.default_rng(2).integers(600, 65536, (2, 30, 20, 1)).astype(np.uint16)
    parts = [PictureHistogram.of_depth(), PictureHistogram.of_depth()]
    for part, picture in zip(parts, pictures, strict=True):
        part.add(picture)
    found = PictureHistogram.from_dict(merged(parts).to_dict()).statistics()
    flat = pictures.reshape(-1).astype(float)  # in its unit, millimetres
    assert found["mean"].shape == (1, 1, 1) and found["count"].tolist() == [2]
    for name in ("min", "max", "mean", "std"):
        assert np.isclose(found[name].item(), getattr(flat, name)()), name
    assert found["q99"].item() == np.quantile(flat, 0.99, method="inverted_cdf")


def test_pictures_are_counted_from_first_to_last():
    assert sampled(3) == {0, 1, 2} and sampled(1) == {0}
    chosen = sorted(sampled(400))
    assert len(chosen) == 20 and chosen[0] == 0 and chosen[-1] == 399
