"""What a model does after training with a tie of camera and label, and without."""

import pytest

from camerabias.analysis.effects.by_setting import setting_contrasts
from camerabias.analysis.records.load import load_records


def test_a_model_that_follows_the_camera_is_right_where_it_goes_with_the_label_alone(demo_run):
    (found,) = setting_contrasts(load_records(demo_run.folder.path))
    assert (found.tied.aligned.mean, found.tied.conflicting.mean) == (1, 0)
    assert found.without.aligned.mean == pytest.approx(0.96, abs=0.04)
    assert found.without.conflicting.mean == pytest.approx(0.96, abs=0.04)
    assert (found.tied.falls, found.without.falls) == (True, False)
