"""Which models an audit looks at."""

import pytest

from camerabias.sweeps.audit.models import models_to_audit

LITE = "linear:tf_efficientnet_lite0"


@pytest.mark.parametrize(
    ("asked", "models"),
    [
        ((None, False, None, False), [LITE]),
        ((None, True, None, False), [LITE, "small_cnn"]),
        ((None, False, None, True), [LITE, "resnet34"]),
        ((None, False, "resnet18", False), ["linear:resnet18"]),
        (("vgg16", False, None, True), ["vgg16"]),
        (("vgg16", True, None, False), [LITE, "vgg16"]),
        (("vgg16", False, "resnet18", False), ["linear:resnet18", "vgg16"]),
        (("linear:vgg16", False, None, True), ["linear:vgg16"]),
    ],
)
def test_models_are_those_asked_for_or_what_the_machine_can_train(asked, models):
    assert models_to_audit(*asked) == models
