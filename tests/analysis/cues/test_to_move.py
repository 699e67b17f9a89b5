from camerabias.analysis.cues.naming import CueNaming
from camerabias.analysis.cues.to_move import cues_to_move


def naming(strangeness=0.5, **probabilities):
    return CueNaming(probabilities, 0.9, strangeness)


def test_the_most_probable_cues_that_can_be_moved_are():
    assert cues_to_move(naming(dust=0.95, jpeg=0.9, noise=0.4, tone=0.3)) == ["jpeg", "noise"]
    assert cues_to_move(naming(dust=0.9, tone=0.1)) == ["tone"]
    assert cues_to_move(naming()) == []


def test_more_are_moved_where_none_is_named():
    weak = {"jpeg": 0.4, "noise": 0.3, "geometry": 0.25, "tone": 0.2, "blur": 0.2, "vignetting": 0.1}
    assert cues_to_move(naming(**weak)) == ["jpeg", "noise", "tone", "blur"]
    assert cues_to_move(naming(strangeness=1.2, **weak | {"jpeg": 0.9})) == ["jpeg", "noise", "tone", "blur"]
