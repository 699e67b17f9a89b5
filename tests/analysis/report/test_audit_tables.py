"""Tables of an audit: what their captions promise stands in them."""

from types import SimpleNamespace

import pandas as pd
import pytest

from camerabias.analysis.effects.mitigations import MITIGATION_COLUMNS
from camerabias.analysis.records.load import load_records
from camerabias.analysis.report.audit_tables import audit_tables


@pytest.fixture
def captions(make, tmp_path):
    """A function that gives the captions of an audit's tables, by name."""

    def of(mitigations):
        cells = [make.cell("label", "natural", make.right("label", 0.9))]
        records = load_records(make.run(tmp_path, {"s": cells}).folder.path)
        found = SimpleNamespace(cameras=pd.DataFrame(), labels=pd.DataFrame(), mitigations=mitigations)
        return {table.name: table.wide.caption for table in audit_tables(records, found)}

    return of


@pytest.mark.parametrize(("removed", "promised"), [(0.3, True), (float("nan"), False)])
def test_bias_removed_is_promised_where_the_table_has_it(captions, removed, promised):
    rows = pd.DataFrame([{"mitigation": "none"}, {"mitigation": "jitter", "accuracy_lost": 0.1}])
    rows = rows.reindex(columns=MITIGATION_COLUMNS)
    rows.loc[1, ["bias_removed", "bias_removed_low", "bias_removed_high"]] = removed
    caption = captions(rows)["mitigations"]
    assert ("bias removed" in caption) == promised
    assert "on the same seeds and test photos" in caption
