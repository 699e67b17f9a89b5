"""The manual as a site: built without a warning, whole, and reading nothing from elsewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

import camerabias
from camerabias.sweeps.cli import main as cli

ROOT = Path(__file__).parent.parent


def _pages(entry):
    """Every page of a navigation."""
    if isinstance(entry, str):
        return [entry]
    inner = entry.values() if isinstance(entry, dict) else entry
    return [page for one in inner for page in _pages(one)]


def test_every_page_of_the_manual_is_in_the_navigation_once():
    pages = _pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"])
    assert len(set(pages)) == len(pages)
    ours = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert ours - set(pages) == set()
    assert [page for page in set(pages) - ours if not (ROOT / page).exists()] == []


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built as `make docs` does; a warning stops it."""
    subprocess.run(["make", "links"], cwd=ROOT, check=True, capture_output=True)
    out = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--site-dir", out],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return out


@pytest.mark.slow  # half a minute; it alone sees what only the built site has: anchors of docstrings, generated pages
def test_the_site_is_built_without_a_warning_and_is_whole(site):
    commands = (site / "reference/commands.html").read_text()
    for name, command in get_command(cli.app).commands.items():
        assert f'id="camerabias-{name}"' in commands
        options = [option for param in command.params for option in param.opts]
        assert [option for option in options if option not in commands] == []
    api = (site / "reference/api.html").read_text()
    for name in camerabias.__all__:
        assert name == "__version__" or re.search(rf'id="camerabias\.\w+\.{name}"', api), name
    assert 'href="#' in (site / "manual/verdict.html").read_text()


@pytest.mark.slow  # as the other
def test_pages_of_the_site_load_nothing_from_elsewhere_and_lead_nowhere_else(site):
    loaded = re.compile(r'<(?:script|img|link rel="stylesheet")[^>]*(?:src|href)="(https?://[^"]*)"')
    missing = []
    for page in site.rglob("*.html"):
        text = page.read_text()
        assert loaded.findall(text) == []
        for path in re.findall(r'href="([^"#:]+)[#"]', text):
            target = site / path.lstrip("/") if path.startswith("/") else page.parent / path
            if not target.exists():
                missing.append(f"{page.name}: {path}")
    assert missing == []
