"""The documents: links lead somewhere, commands exist, and nothing in the tree is of one machine alone."""

import re
import subprocess
from pathlib import Path

import pytest

from camerabias.sweeps.study import study_names
from camerabias.trainables.config import recipe_names

ROOT = Path(__file__).parent.parent
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text())
    missing = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert not missing


def test_every_study_and_recipe_is_in_the_documents():
    text = "".join(document.read_text() for document in DOCUMENTS)
    assert [name for name in (*study_names(), *recipe_names()) if f"`{name}`" not in text] == []


def test_commands_in_the_documents_exist():
    from typer.main import get_command

    from camerabias.sweeps.cli import app

    root = get_command(app)
    text = "".join(document.read_text() for document in DOCUMENTS)
    for line in re.findall(r"^(?:\.venv/bin/)?camerabias ([a-z -]+)", text, flags=re.MULTILINE):
        command = root
        for word in line.split():
            if word.startswith("-") or not hasattr(command, "commands"):
                break
            assert word in command.commands, line
            command = command.commands[word]


def test_lock_holds_no_index_address_and_no_uv_lock_is_there():
    assert "://" not in (ROOT / "requirements.lock").read_text()
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "uv.lock" not in tracked.split()
