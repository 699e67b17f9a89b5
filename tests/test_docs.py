"""The documents: links lead somewhere, commands, files and names exist, no paragraph is a wall; and nothing in the
tree is of one machine alone."""

import re
import subprocess
from importlib import import_module
from pathlib import Path

import pytest

import camerabias
from camerabias.datasets.dataset import open_dataset
from camerabias.datasets.reading.photo import SOURCES
from camerabias.datasets.sampling.rules import RULES
from camerabias.datasets.views.registry import VIEWS
from camerabias.sweeps.planning.study import study_names
from camerabias.trainables.models.registry import MODELS
from camerabias.trainables.probes.registry import PROBES
from camerabias.trainables.records.run import Run
from camerabias.trainables.spec.mitigation import MITIGATIONS
from camerabias.trainables.spec.recipe import Recipe, recipe_names

ROOT = Path(__file__).parent.parent
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]

LONGEST_PARAGRAPH = 60
"""Words. A wall of text is not read; a table, a list or a heading is."""


def _prose(document):
    """A document's text without blocks of code."""
    return re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.DOTALL | re.MULTILINE)


def _anchors(document):
    """What a link may name after `#`: headings, as GitHub spells them."""
    headings = re.findall(r"^#+ (.*)$", _prose(document), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    missing = []
    for path, anchor in re.findall(r"\]\(([^)#]*)(?:#([^)]*))?\)", _prose(document)):
        target = document.parent / path if path else document
        if "://" not in path and not (target.exists() and (not anchor or anchor in _anchors(target))):
            missing.append(f"{path}#{anchor}")
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_no_paragraph_is_a_wall(document):
    lines = [line for line in _prose(document).splitlines() if not line.startswith(("|", "#"))]
    # an item of a list is a paragraph of its own
    text = re.sub(r"^\s*(?:[-*•]|\d+\.) ", "\n\n", "\n".join(lines), flags=re.MULTILINE)
    paragraphs = [paragraph.split() for paragraph in re.split(r"\n\s*\n", text)]
    assert [" ".join(words[:8]) for words in paragraphs if len(words) > LONGEST_PARAGRAPH] == []


def test_every_name_that_a_study_or_recipe_may_give_is_in_the_manual():
    text = (ROOT / "docs/manual/sweeps.md").read_text()
    names = [
        *study_names(),
        *recipe_names(),
        *Recipe.model_fields,
        *VIEWS,
        *RULES,
        *MITIGATIONS,
        *MODELS,
        *PROBES,
    ]
    assert [name for name in names if f"`{name}`" not in text] == []


def test_every_function_of_the_package_is_in_the_manual():
    text = (ROOT / "docs/manual/api.md").read_text()
    functions = [name for name in camerabias.__all__ if name.islower() and not name.startswith("_")]
    assert [name for name in functions if f"`{name}(" not in text] == []


FILE_OF_OURS = re.compile(r"`((?:api|analysis|datasets|trainables|sweeps|tests|benchmarks|deploy)/[\w/.-]*)`")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_files_and_imports_that_are_named_exist(document):
    text = document.read_text()
    assert [path for path in FILE_OF_OURS.findall(text) if not (ROOT / path).exists()] == []
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        for module, names in re.findall(r"^from (camerabias\S*) import (.*)$", block, re.MULTILINE):
            imported = import_module(module)
            assert [name for name in names.split(", ") if not hasattr(imported, name)] == []


TEST_OF_OURS = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_tests_that_the_documents_name_exist():
    named = {found for document in DOCUMENTS for found in TEST_OF_OURS.findall(document.read_text())}
    assert len(named) > 30
    assert [name for path, name in named if f"\ndef {name}(" not in (ROOT / path).read_text()] == []


COMMAND = re.compile(r"^\s*(?:\.venv/bin/)?(camerabias .*)", flags=re.MULTILINE)
ON_THE_HEAD = re.compile(r'^ray exec .*"(camerabias [^"]*)"', flags=re.MULTILINE)


def _commands(document):
    """Every command of ours in a document's blocks: in a line of its own, sent to a cluster's head, or submitted."""
    blocks = "\n".join(re.findall(r"```console\n(.*?)```", document.read_text(), re.DOTALL)).replace(
        "\\\n", " "
    )
    lines = COMMAND.findall(blocks) + ON_THE_HEAD.findall(blocks)
    return lines + [f"camerabias {line.split(' -- ')[1]}" for line in lines if " submit " in line]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_in_the_documents_can_be_parsed(document, parse_command):
    for line in _commands(document):
        parse_command(line)


def test_the_page_on_clusters_says_every_step_as_a_command(parse_command):
    lines = _commands(ROOT / "docs" / "cluster.md")
    named = {" ".join(line.split("--")[0].split()[1:3]) for line in lines}
    assert {"data simulate", "data build", "sweep plan", "sweep run", "sweep status"} <= named
    assert any(line.startswith("camerabias submit ") for line in lines)
    (plan,) = [parse_command(line)[1] for line in lines if " plan " in line]
    assert plan["price"] > 0
    assert plan["address"] == "auto"


@pytest.fixture
def study(tmp_path):
    """The file of the study in CONTRIBUTING.md."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    ((name, study),) = re.findall(r"```yaml\n# (\S+)\n(.*?)```", text, re.DOTALL)
    path = tmp_path / Path(name).name
    path.write_text(study)
    return path


def test_every_example_of_contributing_is_carried_out():
    paths = re.findall(r"```python\n# (\S+)\n", (ROOT / "CONTRIBUTING.md").read_text())
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert [path for path in paths if f'contributed("{path}"' not in tests] == []


def test_view_setting_model_and_study_are_added_as_contributing_says(
    contributed, study, dataset, tmp_path, command
):
    contributed("datasets/views/registry.py", VIEWS)
    contributed("datasets/sampling/rules.py", RULES)
    contributed("trainables/models/registry.py", MODELS)

    run = str(tmp_path / "run")
    options = ["--data", dataset.folder, "--run", run, "--weights", "none", "--size", 32]
    assert command("sweep", "run", study, *options, "--executor", "local")[0] == 0
    ((trial, status),) = Run(run).statuses().items()
    assert status == "done"
    record = Run(run).record(trial)
    config = record.config()
    assert (config.model, config.setting.name, str(config.test_view)) == (
        "resnet18",
        "one_camera",
        "mirrored",
    )
    assert set(record.predictions()["image_id"]) == set(
        dataset.index.loc[dataset.index["fold"] == 0, "image_id"]
    )


def test_source_is_added_as_contributing_says(contributed, dataset, tmp_path, command):
    contributed("datasets/sources/names.py", SOURCES)
    photos = tmp_path / "photos.named"
    photos.mkdir()
    for image_id, label, camera in dataset.index[["image_id", "label", "camera"]].itertuples(index=False):
        (photos / f"{label}_{camera}_{image_id}.jpg").write_bytes(dataset.read_image(image_id))
    code, _, err = command("data", "import", photos, tmp_path / "out", "--executor", "local")
    assert (code, err) == (0, "")
    manifest = open_dataset(tmp_path / "out").manifest
    assert manifest.source["kind"] == "names"
    assert (manifest.n_images, set(manifest.cameras)) == (100, set(dataset.manifest.cameras))


def test_lock_holds_no_index_address_and_no_uv_lock_is_there():
    assert "://" not in (ROOT / "requirements.lock").read_text()
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "uv.lock" not in tracked.split()
