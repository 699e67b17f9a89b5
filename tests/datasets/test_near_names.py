"""The right word for one that is slightly wrong."""

import pytest

from camerabias.datasets.near_names import allowed_names, near_names
from camerabias.datasets.sampling.rules import check_name
from camerabias.datasets.schema import CamerabiasError
from camerabias.sweeps.planning.study import load_study
from camerabias.trainables.models.registry import find_model
from camerabias.trainables.spec.recipe import load_recipe

STUDIES = ["table1", "table2", "Mitigations"]


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("tabel2", " (did you mean 'table2'?)"),
        ("MITIGATION", " (did you mean 'Mitigations'?)"),
        ("paper", ""),
        (["tabel1", "tabel2"], " (did you mean 'table1', 'table2'?)"),
        ([None], ""),
    ],
)
def test_the_nearest_name_is_offered_where_there_is_one(given, hint):
    assert near_names(given, STUDIES) == hint


def test_names_that_are_allowed_follow():
    assert allowed_names("tabel1", STUDIES) == (
        " (did you mean 'table1'?); allowed: table1, table2, Mitigations"
    )
    assert allowed_names("x", []) == "; allowed: none"


@pytest.mark.parametrize(
    ("read", "given", "meant"),
    [
        (load_study, "tabel2", "table2"),
        (find_model, "resnt34", "resnet34"),
        (find_model, "eficientnet_b0", "efficientnet_b0"),
        (load_recipe, "papr", "paper"),
        (check_name, "disjont", "disjoint"),
    ],
)
def test_commands_offer_it(read, given, meant):
    with pytest.raises(CamerabiasError, match=rf"\(did you mean '?{meant}'?\?\); allowed: "):
        read(given)
