"""What all tests share: a cache of their own, a small simulated dataset, and quick trials on it."""

import io
import re
import shlex
import sys
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path

import pytest

from camerabias.datasets.ingest.create import simulate_dataset
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.simulator import preset_spec


def pytest_make_parametrize_id(val):
    """Name a test by the beginning of a long text: one of 70 MB was part of a name that workers sent each other."""
    return f"{val[:40]!r}..." if isinstance(val, str | bytes) and len(val) > 100 else None


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Keep decoded variants out of the user's own cache; wait for no disk, as no file need outlast a power cut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAMERABIAS_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr("os.fsync", lambda descriptor: None)
        yield


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    """100 simulated images of 64 px."""
    out = Folder(tmp_path_factory.mktemp("simulated") / "dataset")
    return simulate_dataset(preset_spec("demo", images=100, size=64), out, LocalExecutor())


@pytest.fixture
def contributed():
    """Carry out the example of CONTRIBUTING.md for a file, as if it stood there, until the test ends."""
    text = (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text()
    added = []

    def carry_out(path, registry):
        ((code),) = re.findall(rf"```python\n# {re.escape(path)}\n(.*?)```", text, re.DOTALL)
        before = set(registry)
        there = (Path(__file__).parent.parent / path).exists()
        module = "camerabias." + path.removesuffix(".py").replace("/", ".")
        exec(code, dict(vars(import_module(module))) if there else {"__name__": module})
        added.extend((registry, name) for name in set(registry) - before)

    yield carry_out
    for registry, name in added:  # and no other: files that register themselves may be imported meanwhile
        del registry[name]


@pytest.fixture
def make_job(dataset, tmp_path):
    """A function that makes the job of a quick trial on the simulated dataset, its variants built."""

    # late: not every test needs torch
    from camerabias.datasets.sampling.rules import resolve_setting
    from camerabias.datasets.views.build import build_variants
    from camerabias.trainables.embeddings.build import build_embeddings
    from camerabias.trainables.spec.linear_probe import LinearProbe
    from camerabias.trainables.spec.recipe import load_recipe
    from camerabias.trainables.spec.trial import TrialConfig
    from camerabias.trainables.worker.job import Job

    quick = {"base": "demo", "max_steps": 12, "evaluate_every": 4, "batch_size": 8}

    def make(run="run", recipe=None, purpose="test", **changes):
        manifest = dataset.manifest
        fields = {
            "dataset": manifest.fingerprint,
            "model": "test_resnet",
            "weights": "none",
            "target": "camera",
            "setting": resolve_setting("balanced", manifest),
            "train_view": "rgb",
            "test_view": "rgb",
            "test_fold": 0,
            "seed": 0,
            "size": 32,
            "fit": "resize",
            "recipe": recipe if isinstance(recipe, LinearProbe) else load_recipe(quick | (recipe or {})),
        }
        config = TrialConfig.model_validate(fields | changes)
        if isinstance(recipe, LinearProbe):
            build_embeddings(dataset, config.embeddings, {"none": "none"}, LocalExecutor())
        else:
            build_variants(dataset, list(config.variants), LocalExecutor())
        return Job(
            config, dataset.folder.uri, str(tmp_path / run), weights="none", threads=1, purpose=purpose
        )

    return make


@pytest.fixture
def run_trial():
    """A function that runs a job in this process and returns the last that the trial says."""
    from camerabias.sweeps.execution.executor import LocalTrialExecutor
    from camerabias.sweeps.execution.jobs import KnownJobs

    class Watcher:
        last = None

        def progress(self, trial, progress):
            self.last = progress

    def run(job):
        watcher = Watcher()
        LocalTrialExecutor().run(KnownJobs([job], watcher), expected=None)
        return watcher.last

    return run


@pytest.fixture
def impatient(monkeypatch):
    """Take over at once the lease of a driver that was interrupted in this very process, which lives on."""
    monkeypatch.setattr("camerabias.sweeps.runs.lease.PATIENCE_SECONDS", 0.1)


@pytest.fixture(scope="session")
def command():
    """Run `camerabias ARGUMENTS`; returns exit code, standard output and standard error."""

    from camerabias.sweeps.cli import main as cli

    def run(*arguments):
        with ExitStack() as stack:
            patch = stack.enter_context(pytest.MonkeyPatch.context())
            patch.setattr(sys, "argv", ["camerabias", *map(str, arguments)])
            out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
            stack.enter_context(redirect_stdout(out))
            stack.enter_context(redirect_stderr(err))
            with pytest.raises(SystemExit) as stop:
                cli.main()
        return stop.value.code or 0, *(stream.buffer.getvalue().decode() for stream in (out, err))

    return run


@pytest.fixture
def parse_command():
    """Parse `camerabias ARGUMENTS` without running it; returns the command's name and its parameters."""

    from typer.main import get_command

    from camerabias.sweeps.cli import main as cli

    def parse(line):
        program, *words = shlex.split(line, comments=True)
        assert program.endswith("camerabias"), line
        command, name = get_command(cli.app), []
        while hasattr(command, "commands"):
            assert words, f"{line}: no such command"
            assert words[0] in command.commands, f"{line}: no command {words[0]!r}"
            name.append(words.pop(0))
            command = command.commands[name[-1]]
        return " ".join(name), command.make_context(name[-1], words).params

    return parse


@pytest.fixture(scope="session")
def _ray():
    """A local Ray, started once for all tests that need it, unless somebody has started one."""
    import ray

    from camerabias.datasets.io.ray_connection import connect_ray

    was_running = ray.is_initialized()
    connect_ray()
    yield
    if not was_running:
        ray.shutdown()
