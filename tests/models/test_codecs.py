"""Normalisation, bins and statistics against the public data loaders, and what is refused."""

import numpy as np
import pytest

from bomb.integrations.actions import ActionConvention
from bomb.models.codecs.actions import ActionCodec, from_bomb
from bomb.models.codecs.bins import Bins
from bomb.models.codecs.normalising import Normalisation, Normaliser
from bomb.models.codecs.statistics import DatasetStatistics, Statistics, read, write
from core.errors import BombError, OptionError, UnknownNameError
from tests.models.conftest import close

KEPT = {"constant": "zero"}


@pytest.fixture(scope="module")
def statistics(reference) -> DatasetStatistics:
    return DatasetStatistics.from_dict(reference.json("normalization_stats"))


@pytest.mark.parametrize(
    ("kind", "name"), [("q99", "bounds_q99"), ("bounds", "bounds"), ("normal", "normal")]
)
@pytest.mark.parametrize("family", ["openvla", "oft", "spatialvla"])
def test_normalising_is_that_of_the_public_loaders(reference, statistics, kind, name, family):
    found = reference.arrays("normalization")
    for part, of in (("action", statistics.action), ("proprio", statistics.proprio)):
        ours = Normaliser(of, Normalisation(kind=kind, **KEPT)).forward(found[part])
        close(ours, found[f"{family}_{name}_{part}"], 1e-12)


def test_undoing_is_that_of_the_public_policies(reference, statistics):
    found = reference.arrays("normalization")
    normalised = found["openvla_bounds_q99_action"]
    for name, exact in (("openvla_unnorm", True), ("oft_unnorm", False)):
        close(
            Normaliser(statistics.action, Normalisation(exact=exact, **KEPT)).backward(normalised),
            found[name],
            1e-12,
        )


@pytest.mark.parametrize(("kind", "name"), [("z", "openpi_z"), ("q99_plain", "openpi_q")])
def test_openpi_normalises_every_dimension_and_clips_nothing(reference, statistics, kind, name):
    found = reference.arrays("normalization")
    every = Statistics.from_dict({**statistics.action.to_dict(), "mask": None})
    normaliser = Normaliser(every, Normalisation(kind=kind, exact=False, **KEPT))
    close(normaliser.forward(found["action"]), found[name], 1e-12, 1e-12)
    close(normaliser.backward(found[name]), found[f"{name}_un"], 1e-12, 1e-12)


def test_lerobot_normalises_as_its_files_are_read(reference, statistics):
    """Mean and deviation exactly; quantiles but for openpi's epsilon, where a dimension moves at all."""
    found = reference.arrays("normalization_lerobot")
    every = Statistics.from_dict({**statistics.action.to_dict(), "mask": None})
    for kind, name, moving, atol in (
        ("normal", "MEAN_STD", [0, 1, 2, 3], 1e-12),
        ("q99_plain", "QUANTILES", [0, 1, 3], 1e-5),
    ):
        normaliser = Normaliser(every, Normalisation(kind=kind, **KEPT))
        forward, back = normaliser.forward(found["action"]), normaliser.backward(found[f"{name}_norm"])
        close(forward[:, moving], found[f"{name}_norm"][:, moving], atol)
        close(back[:, moving], found[f"{name}_back"][:, moving], 1e-12)


def test_bins_are_openvlas(reference):
    found = reference.arrays("openvla_action_tokenizer")
    bins = Bins(vocabulary=32000)
    np.testing.assert_array_equal(bins.encode(found["values"]), found["token_ids"])
    np.testing.assert_array_equal(bins.decode(found["decode_ids"]), found["decode_values"])


def test_a_round_trip_errs_by_half_a_bin_at_most():
    bins, values = Bins(vocabulary=512), np.linspace(-1, 1, 10_001)
    away = abs(bins.decode(bins.encode(values)) - values).max()
    assert 0.99 / 255 < away <= 1 / 255 + 1e-12
    ids = np.arange(bins.first + 1, 512)  # the first shares its centre with the next
    np.testing.assert_array_equal(bins.encode(bins.decode(ids)), ids)
    with pytest.raises(OptionError, match="finite"):
        bins.encode(np.array([np.nan]))
    with pytest.raises(OptionError, match="do not fit"):
        Bins(vocabulary=100)


@pytest.mark.parametrize(
    "gripper", ["continuous_01", "binary_close_positive", "binary_close_negative", "binary_close_01"]
)
@pytest.mark.parametrize("rotation", ["absent", "zero"])
def test_actions_come_back_through_every_convention(gripper, rotation):
    convention = ActionConvention(gripper=gripper, rotation=rotation, delta_scale=2.5)
    draw = np.random.default_rng(0)
    actions = draw.uniform(-1, 1, (40, 3, 4)).astype(np.float32)
    actions[..., 3] = draw.integers(0, 2, (40, 3))
    model = from_bomb(convention, actions)
    mask = np.arange(convention.dims) < 3
    codec = ActionCodec(
        convention=convention, statistics=Statistics.of(model.reshape(-1, convention.dims), mask)
    )
    inside = np.clip(model, codec.statistics.q01, codec.statistics.q99)
    inside[..., 3:] = model[..., 3:]
    kept = convention.to_bomb(inside.reshape(-1, convention.dims)).reshape(actions.shape)
    np.testing.assert_allclose(codec.to_bomb(codec.normalise(actions)), kept, atol=1e-6)
    assert sorted(d for dims in codec.groups.values() for d in dims) == list(range(convention.dims))


def test_statistics_that_cannot_be_used_are_refused(tmp_path, statistics):
    entry = statistics.action.to_dict()
    for change, message in (
        ({"q01": [0, 0, np.nan, 0]}, r"q01\[2\] is nan"),
        ({"std": [1, -1, 1, 1]}, "std must not be negative"),
        ({"q99": [1, 1]}, "q99 has shape"),
        ({"mask": [1, 1, 1, 0]}, "mask must be 4 booleans"),
        ({"q01": [2, 0, 0, 0]}, r"q01\[0\] = 2 is above"),
        ({"mean": "many"}, "mean must be numbers"),
    ):
        with pytest.raises(OptionError, match=message):
            Statistics.from_dict({**entry, **change})
    with pytest.raises(OptionError, match="lack q01"):
        Statistics.from_dict({name: value for name, value in entry.items() if name != "q01"})
    with pytest.raises(OptionError, match="dimension 2 of the action statistics is constant"):
        ActionCodec(convention=ActionConvention(), statistics=statistics.action)
    with pytest.raises(OptionError, match="4 numbers of an action"):
        ActionCodec(convention=ActionConvention(rotation="zero"), statistics=statistics.action)
    write(tmp_path, {"bomb": statistics})
    assert read(tmp_path, "bomb").to_dict() == statistics.to_dict()
    with pytest.raises(UnknownNameError, match=r"bridge.*valid: bomb"):
        read(tmp_path, "bridge")
    with pytest.raises(BombError, match="does not exist"):
        read(tmp_path / "elsewhere", "bomb")
