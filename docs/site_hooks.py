"""What the site has besides the pages of this folder: files elsewhere in the tree, and the commands' help."""

import subprocess
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ELSEWHERE = (
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "Dockerfile",
    "benchmarks/README.md",
    "deploy/aws/stack.yaml",
    "deploy/cluster-local.yaml",
    "deploy/rayjob.yaml",
    "examples/*",
)
"""What pages link to outside of this folder; the site has it at the same path."""

HELP = [sys.executable, "-m", "typer", "camerabias.sweeps.cli.main", "utils", "docs", "--name", "camerabias"]
"""Typer's page of all commands, as their `--help` has it."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what stands elsewhere."""
    root = Path(config.config_file_path).parent
    for path in (found for pattern in ELSEWHERE for found in sorted(root.glob(pattern)) if found.is_file()):
        inside = path.relative_to(root).as_posix()
        files.append(File.generated(config, inside, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links lead where the site has their file, and fill in the commands."""
    up = "../" * page.file.src_uri.count("/")
    if page.file.generated_by:
        return markdown.replace(f"]({up}docs/", f"]({up}")
    markdown = markdown.replace(f"]({up}../", f"]({up}")
    if "<!-- commands -->" in markdown:
        told = subprocess.run(HELP, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our constant
        _, _, commands = told.partition("\n## ")  # what comes first are the names alone
        markdown = markdown.replace("<!-- commands -->", f"## {commands}")
    return markdown
