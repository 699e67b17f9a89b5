"""Models by name, and weights from files that the tests make."""

import io
from email.message import Message
from urllib.response import addinfourl

import pytest
import torch
from safetensors.torch import save_file

from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.models.registry import MODELS, build_model, find_model, input_size, training_loss
from camerabias.trainables.models.weights import load_weights, weights_id

# of the published architectures with 1,000 classes, as torchvision documents them
PUBLISHED_PARAMETERS = {
    "resnet34": 21_797_672,
    "resnet101": 44_549_160,
    "inception_v3": 27_161_264,
    "alexnet": 61_100_840,
    "vgg16": 138_357_544,
}


@pytest.mark.parametrize(("name", "published"), PUBLISHED_PARAMETERS.items())
def test_paper_models_have_their_published_number_of_parameters(name, published):
    with torch.device("meta"):
        model = find_model(name).build(1000)
    assert sum(parameter.numel() for parameter in model.parameters()) == published


def test_models_with_a_fully_connected_head_see_224_pixels_and_the_others_what_is_asked():
    sizes = {name: input_size(name, 512, available=1024) for name in MODELS}
    assert sizes.pop("alexnet") == sizes.pop("vgg16") == 224
    assert set(sizes.values()) == {512}


def test_unasked_models_see_the_dataset_s_size_and_the_small_one_at_most_128():
    assert input_size("resnet34", None, available=1024) == 1024
    assert input_size("alexnet", None, available=1024) == 224
    assert [input_size("test_resnet", None, available) for available in (96, 192)] == [96, 128]


def test_unknown_model_offers_near_names_and_ours():
    with pytest.raises(CamerabiasError, match=r"no model 'resnet3'.*resnet34"):
        find_model("resnet3")


def test_any_timm_name_is_a_model():
    model = build_model("test_vit", 4, (160, 160), None)
    assert model(torch.zeros(2, 3, 160, 160)).shape == (2, 4)


def test_inception_enlarges_small_images_and_trains_with_its_auxiliary_head():
    torch.manual_seed(0)
    model = build_model("inception_v3", 3, (64, 64), None).train()
    output = model(torch.rand(2, 3, 64, 64))
    classes = torch.tensor([0, 2])
    loss, logits = training_loss(output, classes)
    main, auxiliary = (torch.nn.functional.cross_entropy(part, classes) for part in output)
    assert logits.shape == (2, 3)
    assert loss.item() == pytest.approx((main + 0.4 * auxiliary).item())


def test_initialisation_follows_the_global_seed():
    states = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        states.append(weights_id(build_model("test_resnet", 2, (64, 64), None).state_dict()))
    assert states[0] == states[1] != states[2]


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_weights_of_a_file_arrive_in_the_model_but_for_the_classifier(tmp_path, ending):
    torch.manual_seed(1)
    source = build_model("test_resnet", 7, (64, 64), None).state_dict()
    path = tmp_path / f"weights.{ending}"
    save_file(source, path) if ending == "safetensors" else torch.save(source, path)
    state = load_weights("test_resnet", str(path))
    torch.manual_seed(2)
    model = build_model("test_resnet", 2, (64, 64), state).state_dict()
    differing = {key for key in model if model[key].shape != source[key].shape}
    assert differing
    assert all(torch.equal(model[key], source[key]) for key in model if key not in differing)
    assert all("fc" in key or "head" in key or "classifier" in key for key in differing)


def test_weights_id_depends_on_content_and_not_on_the_file(tmp_path):
    state = {"a": torch.arange(4.0), "b": torch.ones(2)}
    save_file(state, tmp_path / "x.safetensors")
    torch.save(state, tmp_path / "y.pth")
    ids = {weights_id(load_weights("resnet34", str(tmp_path / name))) for name in ("x.safetensors", "y.pth")}
    assert ids == {weights_id(state)}
    assert weights_id({**state, "b": torch.tensor([1.0, 1.5])}) not in ids
    assert weights_id(None) == "none"


def test_weights_of_another_model_are_refused():
    other = build_model("test_vit", 2, (160, 160), None).state_dict()
    with pytest.raises(CamerabiasError, match="not of a test_resnet"):
        build_model("test_resnet", 2, (64, 64), other)


def test_missing_and_broken_weights_files_are_errors_in_a_sentence(tmp_path):
    with pytest.raises(CamerabiasError, match="no weights file"):
        load_weights("resnet34", str(tmp_path / "none.pth"))
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"not weights")
    with pytest.raises(CamerabiasError, match="Cannot read the weights file"):
        load_weights("resnet34", str(broken))


def test_imagenet_weights_come_from_torch_s_own_cache_and_else_say_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def no_network(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr("torch.hub.download_url_to_file", no_network)
    with pytest.raises(CamerabiasError, match=r"cannot be had.*--weights FILE.*--weights none"):
        load_weights("resnet34", "imagenet")


def test_imagenet_weights_that_arrive_changed_are_refused_and_not_kept(tmp_path, monkeypatch):
    stream = io.BytesIO()
    torch.save({}, stream)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(
        "torch.hub.urlopen",
        lambda request: addinfourl(io.BytesIO(stream.getvalue()), Message(), request.full_url),
    )
    with pytest.raises(CamerabiasError, match=r"cannot be had.*invalid hash"):
        load_weights("resnet34", "imagenet")
    assert not list(tmp_path.rglob("*.pth"))


def test_weights_of_a_model_of_timm_are_its_pretrained_ones(monkeypatch):
    asked = []

    def create(name, **how):
        asked.append((name, how))
        return torch.nn.Linear(1, 1)

    monkeypatch.setattr("timm.create_model", create)
    load_weights("test_vit", "imagenet")
    assert asked == [("test_vit", {"pretrained": True})]
