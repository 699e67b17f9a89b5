"""Dockerfile and .dockerignore, as far as they can be checked without Docker."""

import re

import pytest


@pytest.fixture
def instructions(read):
    """Instruction and arguments, lines joined and comments left out."""
    lines = [line for line in read("Dockerfile").splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def test_packages_come_from_the_lock_by_their_hashes(instructions):
    installs = [
        part for name, text in instructions if name == "RUN" for part in text.split("&&") if "uv pip" in part
    ]
    assert len(installs) == 2
    assert "--require-hashes --requirement /tmp/requirements.lock" in installs[0]
    assert "--no-deps /tmp/*.whl" in installs[1]
    assert all("--compile-bytecode" in install for install in installs), "user 1000 can compile nothing there"


def test_it_does_not_run_as_root_and_leaves_the_command_to_kuberay(instructions):
    users = [text for name, text in instructions if name == "USER"]
    assert users[-1] not in ("0", "root")
    assert not {"ENTRYPOINT", "CMD"} & {name for name, _ in instructions}


def test_only_what_it_copies_is_sent_to_the_builder(instructions, read):
    copied = {text.split()[0] for name, text in instructions if name == "COPY"}
    ignored = [line for line in read(".dockerignore").splitlines() if line and not line.startswith("#")]
    assert ignored[0] == "*"
    assert {re.sub("^!", "", line) for line in ignored[1:]} == copied
