"""The training loop: convergence, divergence, resuming to the bit."""

import numpy as np
import pytest
import torch
from torch import nn

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.views.registry import View
from camerabias.trainables.records.checkpoint import read_checkpoint, write_checkpoint
from camerabias.trainables.spec.recipe import load_recipe
from camerabias.trainables.training.evaluate import Examples, predict_logits
from camerabias.trainables.training.images import IMAGENET_MEAN, IMAGENET_STD, Images
from camerabias.trainables.training.train import Training, TrainingError


def make_images(n=64, side=8, channels=3):
    """Noise, brighter where the class (row mod 2) is 1: learnable within a few steps."""
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 120, (n, side, side, channels), dtype=np.uint8)
    pixels[1::2] += 100
    return Images(pixels, View.model_validate("rgb"), torch.device("cpu"))


def make_training(images=None, seed=0, **recipe):
    images = images or make_images()
    torch.manual_seed(5)
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Dropout(0.3), nn.Linear(144, 2)
    )
    chosen = {"base": "demo", "batch_size": 8, "max_steps": 40, "evaluate_every": 5} | recipe
    rows = np.arange(64)
    train = Examples(images, rows[:48], rows[:48] % 2)
    validation = Examples(images, rows[48:], rows[48:] % 2)
    return Training(model, load_recipe(chosen), seed, train, validation)


def run(training):
    while not training.ended:
        training.run_epoch()
    return training


def test_learns_what_can_be_learned_and_writes_a_row_per_step():
    training = run(make_training())
    history = training.history()
    assert history["step"].tolist() == list(range(1, 41))
    assert history["epoch"].tolist() == [step // 6 for step in range(40)]  # 48 images in batches of 8
    validated = history.loc[history["validation_accuracy"].notna(), "step"]
    assert validated.tolist() == list(range(5, 41, 5))
    assert history["validation_accuracy"].iloc[-1] == 1
    assert training.stopped == "max_steps"


def test_one_cycle_rises_to_the_learning_rate_and_falls_to_nearly_nothing():
    rates = run(make_training(learning_rate=0.01)).history()["learning_rate"]
    assert rates.max() == pytest.approx(0.01, rel=0.01)
    assert 5 < rates.idxmax() < 20
    assert rates.iloc[-1] < 1e-4


def test_stops_when_the_validation_loss_has_not_improved_for_patience_steps():
    # a learning rate of almost nothing never improves on what is there by much, one of 3 soon only gets worse
    training = run(make_training(schedule="constant", learning_rate=3.0, patience_steps=10, max_steps=1000))
    assert training.stopped == "converged"
    assert training.step == training.best_step + 10


@pytest.mark.parametrize(("patience", "every"), [(7, 5), (3, 10)])
def test_patience_counts_to_a_validation_whatever_its_length(patience, every):
    recipe = {"patience_steps": patience, "evaluate_every": every, "max_steps": 1000}
    training = run(make_training(schedule="constant", learning_rate=3.0, **recipe))
    assert training.stopped == "converged"
    assert training.step % every == 0
    assert training.step - training.best_step >= patience
    assert training.history()["validation_loss"].notna().iloc[-1]


def test_tested_weights_are_those_of_the_lowest_validation_loss():
    training = run(make_training(schedule="constant", learning_rate=0.5, patience_steps=20, max_steps=500))
    assert training.choose_weights() == training.best_step < training.step
    validation = training.validation
    logits = predict_logits(training.model, validation, 16, "float32")
    loss = nn.functional.cross_entropy(logits, torch.from_numpy(validation.classes)).item()
    losses = training.history()["validation_loss"]
    assert loss == pytest.approx(losses.min(), rel=1e-4)


def test_one_cycle_tests_its_last_weights():
    training = run(make_training())
    before = [tensor.clone() for tensor in training.model.state_dict().values()]
    assert training.choose_weights() == 40
    assert all(map(torch.equal, before, training.model.state_dict().values()))


def test_loss_that_is_no_number_is_a_named_failure():
    training = make_training()
    with torch.no_grad():
        training.model[0].weight[:] = float("nan")
    with pytest.raises(TrainingError, match="step 1: training has diverged"):
        run(training)


@pytest.mark.parametrize("epochs_before", [1, 2, 5])
def test_resumed_training_ends_at_the_same_bits(tmp_path, epochs_before):
    whole = run(make_training())
    interrupted = make_training()
    for _ in range(epochs_before):
        interrupted.run_epoch()
    write_checkpoint(Folder(tmp_path), *interrupted.state())
    torch.rand(7)  # whatever else drew random numbers in between
    resumed = make_training()
    tensors, state = read_checkpoint(Folder(tmp_path))
    resumed.load_state(tensors, state)
    run(resumed)
    assert resumed.history().equals(whole.history())
    for ours, theirs in zip(
        resumed.model.state_dict().values(), whole.model.state_dict().values(), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_saving_a_checkpoint_does_not_change_the_training():
    whole, saved = make_training(), make_training()
    while not whole.ended:
        whole.run_epoch()
        saved.run_epoch()
        if not saved.ended:
            saved.state()
    assert saved.history().equals(whole.history())


def test_seeds_change_the_order():
    histories = [run(make_training(seed=seed)).history()["train_loss"] for seed in (0, 0, 1)]
    assert histories[0].equals(histories[1])
    assert not histories[0].equals(histories[2])


def test_checkpoint_cut_short_or_half_replaced_is_no_checkpoint(tmp_path):
    folder = Folder(tmp_path)
    assert read_checkpoint(folder) is None
    training = make_training()
    training.run_epoch()
    write_checkpoint(folder, *training.state())
    content = folder.read_bytes("checkpoint.safetensors")
    folder.write_bytes("checkpoint.safetensors", content[:-10])
    assert read_checkpoint(folder) is None
    folder.write_bytes("checkpoint.safetensors", content)
    assert read_checkpoint(folder) is not None
    state = folder.read_bytes("checkpoint.json")
    folder.write_bytes("checkpoint.json", state[: len(state) // 2])
    assert read_checkpoint(folder) is None


@pytest.mark.parametrize("channels", [1, 3])
def test_batches_are_normalised_like_torchvision_does(channels):
    from torchvision.transforms.functional import normalize

    images = make_images(channels=channels)
    rows = np.array([5, 0, 5])
    expected = images.stored(rows).permute(0, 3, 1, 2).float() / 255
    expected = normalize(expected.expand(-1, 3, -1, -1), IMAGENET_MEAN, IMAGENET_STD)
    batch = images.batch(rows)
    assert batch.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(batch, expected, rtol=1e-5, atol=1e-5)
