"""SpatialVLA's action tokens: the public tokenizer's numbers, fitting, and re-interpolated embeddings."""

import numpy as np
import pytest
from scipy.interpolate import griddata

from bomb.models.codecs.spatial import (
    AXES,
    RANGES,
    ROTATION,
    TRANSLATION,
    Gaussian,
    SpatialGrid,
    cartesian,
    fit,
    refit,
    spherical,
)
from core.errors import OptionError
from tests.models.conftest import close


@pytest.fixture(scope="module")
def about(reference) -> dict:
    return reference.json("spatialvla_action_tokenizer_config")


@pytest.fixture(scope="module")
def values(reference) -> dict[str, np.ndarray]:
    return reference.arrays("spatialvla_action_tokenizer")


def gaussians(about: dict, name: str) -> dict[str, Gaussian]:
    return {axis: Gaussian(**about[name][axis]) for axis in AXES}


def grid(about: dict, policy: str, **more) -> SpatialGrid:
    if policy == "uniform":
        return SpatialGrid.uniform()
    name = "gs_bridge" if policy == "bridge" else "gs_plus"
    return SpatialGrid.gaussian(gaussians(about, name), min_sigma=0.5 if policy == "plus05" else 0.0, **more)


@pytest.mark.parametrize("policy", ["plus05", "plus0", "bridge", "uniform"])
def test_edges_ids_and_actions_are_the_public_ones(about, values, policy):
    found = grid(about, policy)
    for axis in AXES:
        close(found.edges[axis], values[f"{policy}_{axis}_bins"], 1e-10)
    ids = found.encode(values["actions"])
    np.testing.assert_array_equal(ids, values[f"{policy}_ids"])
    close(found.decode(ids), values[f"{policy}_decoded"], 1e-12)
    assert found.size == 8194
    np.testing.assert_array_equal(found.encode(found.decode(ids))[:, 1:], ids[:, 1:])


def test_a_decoded_action_is_within_half_a_bin_per_axis():
    found = SpatialGrid.uniform()
    draw = np.random.default_rng(0)
    actions = draw.uniform(-0.55, 0.55, (500, 7))
    back = found.decode(found.encode(actions))
    away = abs(spherical(back[:, :3]) - spherical(actions[:, :3]))
    half = [np.diff(found.edges[axis])[0] / 2 + 1e-9 for axis in TRANSLATION]
    assert (away <= half).all()
    assert abs(back[:, 3:6] - actions[:, 3:6]).max() <= 1 / 16 + 1e-9
    close(cartesian(spherical(actions[:, :3])), actions[:, :3], 1e-12)


def test_bins_that_were_fitted_are_filled_alike():
    draw = np.random.default_rng(0)
    actions = draw.normal(0, 0.2, (20_000, 7)).clip(-1, 1)
    found = SpatialGrid.gaussian(fit(actions))
    counts = np.histogram(actions[:, 4], found.edges["pitch"])[0]
    assert counts.min() > 0.9 * counts.mean() and counts.max() < 1.1 * counts.mean()
    still = fit(np.zeros((5, 7)))
    assert still["yaw"].sigma == 1e-3 and (np.diff(SpatialGrid.gaussian(still).edges["yaw"]) >= 0).all()


def small(about: dict) -> tuple[SpatialGrid, SpatialGrid]:
    bins = about["adapt_num_bins"]
    counts = {a: bins["translation" if a in TRANSLATION else "rotation"][f"{a}_bins"] for a in AXES}
    return tuple(grid(about, policy, counts=counts) for policy in ("plus05", "bridge"))


def test_embeddings_of_a_new_grid_are_between_those_of_the_old_one(about, values):
    old, new = small(about)
    given = values["adapt_old"]
    close(refit(given, old, old), given, 1e-6)
    close(refit(given, old, new)[-2:], given[-2:], 0)
    # What is linear in the coordinates stays so between the outermost middles of the old bins.
    table = np.zeros((old.size, 1))
    table[: old.translations, 0] = middles(old, TRANSLATION) @ [0.3, -0.2, 0.5]
    wanted = middles(new, TRANSLATION)
    inside = np.all(
        [
            (wanted[:, k] >= old.middles[a][0]) & (wanted[:, k] <= old.middles[a][-1])
            for k, a in enumerate(TRANSLATION)
        ],
        axis=0,
    )
    assert inside.sum() >= 10
    close(refit(table, old, new)[: old.translations, 0][inside], wanted[inside] @ [0.3, -0.2, 0.5], 1e-6)
    with pytest.raises(OptionError, match="do not fit a grid"):
        refit(given, old, SpatialGrid.uniform())


def test_the_public_code_interpolates_with_two_axes_swapped(about, values):
    """Its grid counts the second axis first, its embeddings the first: the reference shows it, we do not."""
    old, new = small(about)
    first = 0
    for axes, shape in zip((TRANSLATION, ROTATION), old.shapes, strict=True):
        table = values["adapt_old"][first : first + np.prod(shape)].reshape(*shape, -1)
        wanted = values["adapt_new"][first : first + np.prod(shape)]
        table = np.pad(table, [(1, 1)] * 3 + [(0, 0)], mode="edge")
        points, places = (padded(one, axes, "xy") for one in (old, new))
        found = griddata(points, table.reshape(len(points), -1), places).reshape(table.shape)
        close(found[1:-1, 1:-1, 1:-1].reshape(wanted.shape), wanted, 1e-6)
        first += int(np.prod(shape))


def middles(found: SpatialGrid, axes: tuple[str, ...]) -> np.ndarray:
    return np.stack(np.meshgrid(*(found.middles[a] for a in axes), indexing="ij"), -1).reshape(-1, 3)


def padded(found: SpatialGrid, axes: tuple[str, ...], indexing: str) -> np.ndarray:
    lines = []
    for axis in axes:
        low, high = RANGES[axis]
        lines.append((np.concatenate([[low], found.middles[axis], [high]]) - low) / (high - low))
    return np.stack(np.meshgrid(*lines, indexing=indexing), -1).reshape(-1, 3)


def test_ids_of_another_kind_are_the_nearest(about, values):
    found = grid(about, "plus0")
    ids = np.array([[-5, 0, 0], [9000, 9000, 9000]])
    low, high = found.decode(ids)
    close(low, found.decode(np.array([0, found.translations, found.size - 2])), 0)
    close(high, found.decode(np.array([4095, 8191, 8193])), 0)


def test_grids_that_cannot_be_are_refused(about):
    with pytest.raises(OptionError, match="must have the axes theta"):
        SpatialGrid.gaussian({})
    with pytest.raises(OptionError, match="bins of r must be a positive integer, got 0"):
        SpatialGrid.uniform({"theta": 1, "phi": 1, "r": 0, "roll": 1, "pitch": 1, "yaw": 1})
    edges = dict(SpatialGrid.uniform().edges)
    with pytest.raises(OptionError, match="edges of phi must rise"):
        SpatialGrid(edges={**edges, "phi": edges["phi"][::-1]})
    with pytest.raises(OptionError, match="positive sigma"):
        Gaussian(mu=0.0, sigma=0.0)
    with pytest.raises(OptionError, match="finite actions of shape"):
        fit(np.zeros((3, 4)))
    with pytest.raises(OptionError, match="finite has no token"):
        SpatialGrid.uniform().encode(np.full(7, np.nan))
