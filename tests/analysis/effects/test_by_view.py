"""What remains in every view."""

import numpy as np
import pytest

from camerabias.analysis.effects.by_view import cameras_by_view, labels_by_view
from camerabias.analysis.effects.shortcut_effect import identification, shortcut_effect
from camerabias.analysis.records.load import load_records

ASSOCIATED = {
    "iPhone": "Manufacturer 1",
    "Samsung": "Manufacturer 1",
    "Huawei": "Manufacturer 2",
    "Redmi": "Manufacturer 2",
}


def test_tables_hold_the_statistics_of_their_cells(make, tmp_path):
    cells = [
        make.cell("camera", "natural", make.right("camera", 0.9)),
        make.cell("camera", "natural", make.right("camera", 0.3), view="gray"),
        make.cell(
            "camera",
            "natural",
            make.right("camera", 0.9),
            view="jitter",
            broken=dict.fromkeys(range(4), "missing"),
        ),
        make.cell("label", "natural", make.by_camera),
    ]
    records = load_records(str(make.run(tmp_path / "run", {"cues": cells}, bottles_per_label=12).folder.uri))
    cameras, labels = (
        cameras_by_view(records, "test_resnet"),
        labels_by_view(records, "test_resnet", ASSOCIATED),
    )
    assert cameras["view"].tolist() == ["rgb", "gray", "jitter"]
    for row, cell in zip(cameras.itertuples(), records.cells("camera"), strict=True):
        rows = list(records.test_rows(cell).values())
        if not rows:
            assert np.isnan(row.kept)
            assert row.missing == "missing (0 of 4 seeds)"
            continue
        expected = identification(rows)
        assert (row.kept, row.majority_baseline, row.p) == (
            expected.normalised_accuracy,
            expected.majority_baseline,
            expected.p,
        )
    # Holm, by hand: two tests, the smaller p twice, the larger at least as much
    low, high = sorted(cameras["p"].dropna())
    assert sorted(cameras["p_holm"].dropna()) == pytest.approx([min(1, 2 * low), max(2 * low, high)])
    expected = shortcut_effect(list(records.test_rows(records.cells("label")[0]).values()), ASSOCIATED)
    assert labels["risk_difference"].tolist() == [expected.risk_difference.mean]
    assert labels["p_holm"].tolist() == [expected.p]
