"""Every verdict through the command line, by a dataset made for it."""

import json

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from camerabias.analysis.verdict.decide import Verdict
from camerabias.datasets.ingest.create import simulate_dataset
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.simulator import parse_cues, preset_spec

QUICK = [
    "--quick",
    "--model",
    "small_cnn",
    "--weights",
    "none",
    "--recipe",
    "calibration",
    "--executor",
    "local",
]


@pytest.fixture
def audit(command, tmp_path):
    """Run the audit; returns exit code, verdict and what was printed."""

    def run(source, *options):
        code, out, err = command("audit", source, "--run", tmp_path / "run", *QUICK, *options)
        path = tmp_path / "run/report/verdict.json"
        verdict = Verdict.model_validate_json(path.read_text()) if path.exists() else None
        return code, verdict, out + err

    return run


@pytest.fixture
def simulated(tmp_path):
    def make(cues, correlation, images=300):
        spec = preset_spec("demo", images, 64, parse_cues(cues), seed=3, correlation=correlation)
        simulate_dataset(spec, Folder(tmp_path / "dataset"), LocalExecutor())
        return tmp_path / "dataset"

    return make


@pytest.fixture
def painted(tmp_path):
    """A table of photos whose label is plain to see, a bar across or upright, from cameras of different noise."""

    def make(cells):
        generator = np.random.default_rng(0)
        rows = []
        for (label, camera, noise), n in cells.items():
            for k in range(n):
                canvas = np.full((40, 40, 3), 90.0)
                x, y = generator.integers(4, 26, 2)
                wide, high = (12, 3) if label == "across" else (3, 12)
                canvas[y : y + high, x : x + wide] = 220
                canvas = cv2.GaussianBlur(canvas, (0, 0), 0.7) + generator.normal(0, noise, canvas.shape)
                path = f"{label}-{camera}-{k}.png"
                Image.fromarray(canvas.clip(0, 255).astype(np.uint8)).save(tmp_path / path)
                rows.append({"path": path, "label": label, "camera": camera})
        pd.DataFrame(rows).to_csv(tmp_path / "photos.csv", index=False)
        return tmp_path / "photos.csv"

    return make


def test_cheating(audit, simulated, tmp_path):
    """That it trains nothing when asked again is in tests/test_old_run.py."""
    source = simulated("none,white_balance=2,colour_matrix=2", 0.8, 400)
    (tmp_path / "short.yaml").write_text("{base: calibration, max_steps: 40, evaluate_every: 20}")
    options = ["--size", 32, "--recipe", tmp_path / "short.yaml"]
    code, verdict, printed = audit(source, *options, "--fail-on", "cheating")
    assert code == 3
    assert verdict.verdict == "cheating"
    assert (
        verdict.evidence["shortcut_effect.p"]
        <= 0.01
        < verdict.evidence["shortcut_effect.risk_difference_low"]
    )
    assert verdict.evidence["counterfactual.directed"] > 0.5, "the truth bears it out"
    assert "Verdict: cheating" in printed
    assert "Shortcut effect: " in verdict.reasons[0]
    assert verdict.cues[0].name == "white balance"
    assert json.loads(verdict.model_dump_json())["schema_version"] == 2


@pytest.mark.slow
def test_cannot_tell(audit, simulated):
    """Every camera has one label: no training of the label is begun, that of cameras is."""
    code, verdict, printed = audit(
        simulated("none,white_balance=2,colour_matrix=2", 1.0, 200), "--fail-on", "cheating"
    )
    assert code == 0
    assert verdict.verdict == "cannot tell"
    assert verdict.evidence["identification.p"] <= 0.01, "whether cameras can be recognised is said with it"
    assert any("photos" in step for step in verdict.next_steps)
    assert "label-natural" not in printed


@pytest.mark.slow
def test_at_risk(audit, painted):
    """The cameras' noise is plain to see and goes with the label, yet the label itself is plainer.

    It alone sees a truly trained model that leaves a camera alone which it could use; how findings are decided upon,
    and the exit code by verdict, are in tests/analysis/verdict and in the test of cheating.
    """
    cells = {
        ("across", "A", 2): 80, ("across", "B", 14): 40,
        ("upright", "A", 2): 40, ("upright", "B", 14): 80,
    }  # fmt: skip
    code, verdict, _ = audit(painted(cells), "--fail-on", "at-risk,cheating")
    assert (code, verdict.verdict) == (3, "at risk")
    assert verdict.evidence["identification.p"] <= 0.01
    assert verdict.evidence["association.p"] <= 0.01 < verdict.evidence["shortcut_effect.p"]


@pytest.mark.slow
def test_no_evidence(audit, painted):
    cells = {
        ("across", "A", 5): 120, ("across", "B", 5): 80,
        ("upright", "A", 5): 80, ("upright", "B", 5): 120,
    }  # fmt: skip
    code, verdict, _ = audit(painted(cells), "--fail-on", "at-risk,cheating")
    assert (code, verdict.verdict) == (0, "no evidence")
    assert 0 < verdict.evidence["shortcut_effect.minimum_detectable"] <= 0.25, (
        "with the effect that could have been seen, which is small enough to mean something"
    )
    assert verdict.cues is None or not verdict.cues


def test_options_for_importing_are_refused_where_photos_have_been(command, dataset, tmp_path):
    code, _, err = command("audit", dataset.folder, "--run", tmp_path / "run", "--camera", "phone")
    assert code == 1
    assert "--camera would change nothing" in " ".join(err.split())
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--fail-on", "guilty"], "allowed: cheating"), (["--quick", "--full"], "opposite")],
)
def test_impossible_options_are_refused_before_anything_runs(command, tmp_path, options, said):
    code, out, err = command("audit", tmp_path, "--run", tmp_path / "run", *options)
    assert code == 2
    assert said in " ".join((out + err).split())
    assert not (tmp_path / "run").exists()
