from camerabias.analysis.cues.to_move import cues_to_move


def test_the_two_most_probable_that_can_be_moved_are():
    probabilities = {"blur": 0.1, "noise": 0.6, "sensor pattern": 0.9, "geometry": 0.8, "jpeg": 0.7}
    assert cues_to_move(probabilities) == ["jpeg", "noise"]
    assert cues_to_move({"dust": 0.9, "tone": 0.1}) == ["tone"]
    assert cues_to_move({}) == []
