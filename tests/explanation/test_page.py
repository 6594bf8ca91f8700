"""A VLA explained from the expert's states to the page, maps of its inside among it."""

import numpy as np
import pytest

from bomb.disk.files import FileError
from bomb.explanation.aggregate import aggregate
from bomb.explanation.explaining import explain, read_explanation
from bomb.explanation.page import write_page
from bomb.explanation.scenes import SCENES
from bomb.explanation.settings import ExplanationSettings
from bomb.models.checkpoint import Checkpoint
from tests.explanation.conftest import model


@pytest.mark.render
def test_a_vla_is_explained_at_the_experts_moments(tmp_path):
    Checkpoint(vla=model("vlm4vla")).save(tmp_path / "vla")
    settings = ExplanationSettings(
        policy=f"vla(checkpoint='{tmp_path / 'vla'}', device='cpu', threads=1)",
        backends=("mujoco",),
        seeds=(1,),
        split="ci",
        path="expert",
        stages=("release",),
        grid=None,
        swaps=2,
        exact=6,
    )
    told = []
    (episode,) = explain(settings, tmp_path / "out", begin=lambda *numbers: told.append(numbers))
    (moment,) = episode["moments"]
    assert episode["success"] is None and moment["stage"] == "release"
    patches = moment["patches"]["head"]
    own = model("vlm4vla").anatomy.grids["head"]
    assert (patches["grid"]["rows"], patches["grid"]["cols"]) == (own.rows, own.cols)
    assert len(patches["effects"]) == own.rows * own.cols
    assert sum(patches["shares"].values()) == pytest.approx(1)
    assert set(patches["sensitivity"]) == {"mean", "blur", "noise"}
    assert {scene["what"] for scene in moment["scenes"]} == set(SCENES)
    assert [part["corrupted"] for part in moment["inside"]] == ["patch", "span"]
    for part in moment["inside"]:
        assert part["gap"] == pytest.approx(part["effect"], abs=1e-4)
        for kind in ("layers", "heads"):
            assert sum(entry["exact"] for entry in part[kind]) == 6
            assert all(np.isfinite(entry["R"]) for entry in part[kind])
    # The cost that is said beforehand holds, but for the map under two more occluders.
    assert episode["forwards"] <= told[0][2] + 2 * len(patches["effects"])
    header, kept = read_explanation(tmp_path / "out")
    assert "attention columns" in header["words_hidden_by"]
    html = write_page(tmp_path / "out", header, kept, aggregate(kept)).read_text()
    assert html.count("image/svg+xml") == 4 and "first-order estimates" in html
    (file,) = (tmp_path / "out" / "episodes").glob("*.json")
    for damage in ("{", "[]", "{}", "null"):  # neither counted as done nor overwritten
        file.write_text(damage)
        with pytest.raises(FileError, match=file.name):
            explain(settings, tmp_path / "out")
        assert file.read_text() == damage
