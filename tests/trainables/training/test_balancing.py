"""Cells that count the same, group DRO and the adversary, against sums by hand and training that is interrupted."""

import numpy as np
import pytest
import torch
from torch import nn

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.views.registry import View
from camerabias.trainables.models.registry import build_model, training_loss
from camerabias.trainables.probes.registry import Probe
from camerabias.trainables.records.checkpoint import read_checkpoint, write_checkpoint
from camerabias.trainables.records.run import Run
from camerabias.trainables.spec.mitigation import MITIGATIONS
from camerabias.trainables.spec.recipe import load_recipe, mitigate
from camerabias.trainables.training.adversary import Adversary
from camerabias.trainables.training.balancing import GroupWeights, even_weights
from camerabias.trainables.training.evaluate import Examples
from camerabias.trainables.training.images import Images
from camerabias.trainables.training.train import Training

CPU = torch.device("cpu")
CELLS = np.array([[0, 2]] * 5 + [[1, 2]] * 1 + [[1, 7]] * 4)  # codes need not begin at 0 or be dense
NUMBERS = np.repeat([0, 1, 2], [5, 1, 4])


def make_cells(n):
    """Label by row mod 2; its own camera, but for every eighth image the other label's."""
    rows = np.arange(n)
    return np.stack([rows % 2, np.where(rows // 2 % 8 == 0, 1 - rows % 2, rows % 2)], axis=1)


def make_training(seed=0, **recipe):
    """Noise, brighter where the label is 1, on which a small network is trained."""
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 120, (64, 8, 8, 3), dtype=np.uint8)
    pixels[1::2] += 100
    images = Images(pixels, View.model_validate("rgb"), CPU)
    torch.manual_seed(5)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 2))
    rows, cells = np.arange(64), make_cells(64)
    train, validation = (
        Examples(images, rows[part], cells[part, 0], cells=cells[part])
        for part in (slice(0, 48), slice(48, 64))
    )
    chosen = {"base": "demo", "batch_size": 8, "max_steps": 20, "evaluate_every": 5} | recipe
    return Training(model, load_recipe(chosen), seed, train, validation)


def run(training):
    while not training.ended:
        training.run_epoch()
    return training


def cross_entropies(logits, classes):
    """By hand: the logarithm of the sum of exponentials, less the logit of the class."""
    return np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(classes)), classes]


def test_even_weights_are_one_on_average_and_add_up_to_the_same_in_every_cell():
    weights = even_weights(CELLS)
    assert weights.mean() == pytest.approx(1)
    sums = [weights[cell == NUMBERS].sum() for cell in range(3)]
    assert sums == pytest.approx([10 / 3] * 3)


def test_reweighted_losses_are_what_cells_of_one_size_would_have_come_to():
    training = make_training(reweight=True, batch_size=48, max_steps=1, evaluate_every=1)
    cells = training.train.cells
    with torch.no_grad():
        training.model.train()
        logits = training.model(training.train.images.batch(training.train.rows)).double().numpy()
    losses = cross_entropies(logits, cells[:, 0])
    by_cell = [losses[(cells == cell).all(axis=1)].mean() for cell in np.unique(cells, axis=0)]
    assert len(by_cell) == 4
    assert abs(np.mean(by_cell) - losses.mean()) > 1e-3
    assert run(training).history()["train_loss"].item() == pytest.approx(np.mean(by_cell), rel=1e-5)


@pytest.mark.parametrize("recipe", [{"reweight": True}, {"resample": True}, {"group_dro": 0.1}])
def test_validation_weighs_cells_as_training_does(recipe):
    training = make_training(max_steps=5, **recipe)
    run(training)
    validation = training.validation
    with torch.no_grad():
        training.model.eval()
        logits = training.model(validation.images.batch(validation.rows)).double().numpy()
    losses = cross_entropies(logits, validation.classes)
    cells = [(validation.cells == cell).all(axis=1) for cell in np.unique(validation.cells, axis=0)]
    assert len({chosen.sum() for chosen in cells}) > 1
    told = training.history()["validation_loss"].iloc[-1]
    assert told == pytest.approx(np.mean([losses[chosen].mean() for chosen in cells]), rel=1e-4)


@pytest.mark.parametrize("recipe", [{"resample": True}, {"group_dro": 0.1}])
def test_resampled_images_come_from_every_cell_as_often_and_epochs_are_as_long(recipe):
    training = make_training(**recipe)
    epochs = [training._order(torch.Generator().manual_seed(epoch)) for epoch in range(200)]
    assert {len(order) for order in epochs} == {48}
    drawn = np.concatenate(epochs)
    counts = np.unique(training.train.cells[drawn], axis=0, return_counts=True)[1]
    # four cells with a probability of a quarter each: three standard deviations
    np.testing.assert_allclose(counts / len(drawn), 0.25, atol=3 * np.sqrt(0.25 * 0.75 / len(drawn)))
    assert set(drawn) == set(range(48))
    repeated = training._order(torch.Generator().manual_seed(7))
    assert np.array_equal(repeated, epochs[7])


def test_group_weights_are_multiplied_by_exponentials_of_their_losses():
    groups, weights = GroupWeights(CELLS, 0.5, CPU), np.full(3, 1 / 3)
    generator = np.random.default_rng(0)
    for chosen in (np.arange(10), np.array([0, 1, 6, 7]), np.array([5])):  # the last two lack cells
        losses = generator.uniform(0, 3, len(chosen))
        means = np.array(
            [losses[NUMBERS[chosen] == cell].mean() if cell in NUMBERS[chosen] else 0 for cell in range(3)]
        )
        weights = weights * np.exp(0.5 * means)
        weights /= weights.sum()
        found = groups.weigh(torch.tensor(losses), torch.from_numpy(chosen))
        assert found.item() == pytest.approx((weights * means).sum(), rel=1e-5)
    np.testing.assert_allclose(groups.logarithms.exp().numpy(), weights, rtol=1e-5)


def test_group_weights_take_part_in_no_gradient():
    losses = torch.rand(10, requires_grad=True)
    groups = GroupWeights(CELLS, 0.5, CPU)
    groups.weigh(losses, torch.arange(10)).backward()
    shares = groups.logarithms.exp()[torch.from_numpy(NUMBERS)] / torch.tensor([5.0, 1, 4])[NUMBERS]
    torch.testing.assert_close(losses.grad, shares)


def test_losses_of_both_of_inception_s_outputs_are_weighed():
    logits, auxiliary, classes = torch.rand(4, 3), torch.rand(4, 3), torch.tensor([0, 1, 2, 0])
    weights = torch.tensor([1.0, 2, 0, 1])
    loss, _ = training_loss((logits, auxiliary), classes, lambda losses: (weights * losses).mean())
    expected = cross_entropies(logits.numpy(), classes.numpy())
    expected = expected + 0.4 * cross_entropies(auxiliary.numpy(), classes.numpy())
    assert loss.item() == pytest.approx((weights.numpy() * expected).mean(), rel=1e-5)


def make_adversary(model=None, weight=0.5):
    torch.manual_seed(0)
    model = model or nn.Sequential(nn.Flatten(), nn.Linear(12, 6), nn.Tanh(), nn.Linear(6, 2))
    return Adversary(model, CELLS, weight, seed=3, device=CPU)


def test_a_step_teaches_the_head_cameras_and_the_features_to_hide_them():
    adversary, inputs, every = make_adversary(), torch.randn(10, 3, 2, 2), torch.arange(10)

    def camera_loss():
        return adversary.loss(adversary.run(inputs)[1], every)

    before = camera_loss()
    before.backward()
    for parameters, rises in ((adversary.head.parameters(), False), (adversary.model[:2].parameters(), True)):
        kept = [(p, p.detach().clone()) for p in parameters]
        with torch.no_grad():  # what an optimiser would do: down the gradient that it is given
            for p, _ in kept:
                p -= 0.01 * p.grad
        assert (camera_loss() > before).item() is rises
        with torch.no_grad():
            for p, value in kept:
                p.copy_(value)


def test_gradient_of_the_features_is_turned_round_by_the_weight():
    adversary, features = make_adversary(weight=0.5), torch.randn(10, 6, requires_grad=True)
    adversary.loss(features, torch.arange(10)).backward()
    plain = features.detach().clone().requires_grad_()
    cameras = torch.from_numpy(np.where(CELLS[:, 1] == 2, 0, 1))
    nn.functional.cross_entropy(adversary.head(plain), cameras).backward()
    torch.testing.assert_close(features.grad, -0.5 * plain.grad)


def test_watching_features_changes_neither_output_nor_model():
    adversary, inputs = make_adversary(), torch.randn(10, 3, 2, 2)
    output, features = adversary.run(inputs)
    assert torch.equal(output, adversary.model(inputs))
    assert torch.equal(adversary.model[3](features), output)
    assert not any(module._forward_pre_hooks for module in adversary.model.modules())


@pytest.mark.parametrize(
    "name",
    ["inception_v3", "alexnet", "test_resnet", "test_vit", "test_convnext", "test_efficientnet"],
)
def test_features_are_found_in_every_kind_of_model(name):
    model = build_model(name, 2, (64, 64), None)
    adversary = make_adversary(model)
    output, features = adversary.run(torch.randn(2, 3, 64, 64))
    logits = output[0] if isinstance(output, tuple) else output
    torch.testing.assert_close(adversary.layer(features), logits)
    assert adversary.loss(features, torch.tensor([0, 9])).isfinite()


def test_model_without_a_last_fully_connected_layer_is_named():
    model = nn.Sequential(nn.Linear(3, 3), nn.Conv2d(3, 2, 1))
    with pytest.raises(CamerabiasError, match="Sequential ends in Conv2d; choose another model"):
        make_adversary(model)


def test_head_of_an_adversary_is_no_part_of_the_model_and_moves_no_other_random_number():
    plain, against = make_training(), make_training(adversary=1.0)
    assert plain.model.state_dict().keys() == against.model.state_dict().keys()
    losses = [run(training).history()["train_loss"] for training in (plain, against)]
    assert losses[0].iloc[0] == losses[1].iloc[0]
    assert losses[0].iloc[-1] != losses[1].iloc[-1]


@pytest.mark.parametrize("name", MITIGATIONS)
def test_resumed_training_ends_at_the_same_bits(tmp_path, name):
    recipe = dict(MITIGATIONS[name].fields)
    whole, interrupted = run(make_training(**recipe)), make_training(**recipe)
    for _ in range(2):
        interrupted.run_epoch()
    write_checkpoint(Folder(tmp_path), *interrupted.state())
    torch.rand(7)  # whatever else drew random numbers in between
    resumed = make_training(**recipe)
    resumed.load_state(*read_checkpoint(Folder(tmp_path)))
    run(resumed)
    assert resumed.history().equals(whole.history())
    ours, theirs = resumed.state()[0], whole.state()[0]  # with the adversary's head and the weights of groups
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours if key != "history")  # which has NaNs


def test_every_mitigation_but_none_changes_training():
    last = {
        name: run(make_training(**MITIGATIONS[name].fields)).history()["train_loss"].iloc[-1]
        for name in MITIGATIONS
    }
    assert len(set(last.values())) == len(MITIGATIONS)


@pytest.mark.parametrize("name", ["adversary", "group_dro"])
def test_mitigated_trial_leaves_weights_that_probes_load(make_job, name, run_trial):
    recipe = {
        "base": "demo",
        "max_steps": 4,
        "evaluate_every": 2,
        "batch_size": 8,
        **MITIGATIONS[name].fields,
    }
    job = make_job(target="label", recipe=recipe, test_fold=1)
    assert mitigate(job.config.recipe, "none").mitigation == name
    probe = Probe.model_validate("training_images")
    job = type(job)(**{**vars(job), "probes": (probe,)})
    assert run_trial(job).status == "done"
    record = Run(job.run).record(job.config.id)
    record.folder.delete(f"probes/{probe}.npz")
    assert run_trial(job).status == "done"  # made again, from the weights that were kept
    assert str(probe) in record.probe_names()
