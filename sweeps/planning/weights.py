"""What training starts from: weights are checked when a sweep is planned, and found by their id when it runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from camerabias.trainables.embeddings.own import own_features_id
from camerabias.trainables.models.registry import build_model, input_size
from camerabias.trainables.models.weights import load_weights, weights_id
from camerabias.trainables.spec.linear_probe import OWN_FEATURES, backbone_of


@dataclass(frozen=True)
class WeightsIds:
    """Ids of the weights that a plan needs, each read once.

    Attributes:
        sources: Of all asked for so far, by id: `imagenet`, `none`, or a file.
    """

    sources: dict[str, str] = field(default_factory=dict)
    _ids: dict[tuple[str, str], str] = field(default_factory=dict)

    def find(self, model: str, source: str) -> str:
        """The id of a model's weights, which are there and fit.

        Raises:
            CamerabiasError: They are not, or do not.
        """
        key = backbone_of(model), source
        if key not in self._ids:
            self._ids[key] = found = _read(*key)
            self.sources[found] = source
        return self._ids[key]


def _read(model: str, source: str) -> str:
    if model == OWN_FEATURES:
        return own_features_id(source)
    state = load_weights(model, source)
    if state is not None:
        side = input_size(model, None, 224)
        build_model(model, 2, (side, side), state)
    return weights_id(state)
