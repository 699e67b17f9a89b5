"""`camerabias doctor`: what it looks at, and what it says of what is wrong."""

import os

import pytest

from camerabias.sweeps.remote import doctor
from camerabias.trainables.records.run import Run


@pytest.fixture(autouse=True)
def no_ray(monkeypatch):
    """Ray takes seconds to start; it is looked at in the tests of the cluster."""
    monkeypatch.setattr(doctor, "_ray", lambda address: iter(()))


@pytest.fixture
def token(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / ".ray" / "auth_token"
    path.parent.mkdir()
    return path


def test_healthy_machine_has_no_problem(command, token, tmp_path):
    code, out, _ = command("doctor", "--run", tmp_path / "run")
    assert code == 0
    assert "problem" not in out
    assert f"{tmp_path / 'run'} can be written, listed and read" in out
    assert "all " in out
    assert os.uname().nodename in out


def test_token_that_others_can_read_is_a_problem_with_its_remedy(command, token):
    token.write_text("secret")
    token.chmod(0o644)
    code, out, _ = command("doctor")
    assert code == 1
    assert f"mode 644): chmod 600 {token}" in out
    token.chmod(0o600)
    assert command("doctor")[0] == 0


def test_run_that_cannot_be_written_is_a_problem(command, token, tmp_path):
    (tmp_path / "file").write_text("")
    code, out, _ = command("doctor", "--run", tmp_path / "file" / "run")
    assert code == 1
    assert "problem  The storage fails at" in out


def test_driver_of_a_run_is_named(command, token, tmp_path):
    Run(tmp_path).write_lease({"owner": "o", "host": "head", "pid": 7, "since": "then", "renewals": 1})
    _, out, _ = command("doctor", "--run", tmp_path)
    assert "Its driver is process 7 on head, since then" in out


def test_missing_and_outdated_packages_are_named(command, token, monkeypatch):
    monkeypatch.setattr(
        doctor, "requires", lambda _: ["numpy<1", "no-such-package>=2", "pandas; extra == 'dev'"]
    )
    code, out, _ = command("doctor")
    assert code == 1
    assert "numpy is " in out
    assert "no-such-package is missing" in out
    assert "pandas" not in out


def test_home_that_cannot_be_written_is_a_warning(command, monkeypatch):
    monkeypatch.setenv("HOME", "/proc/no-home")
    code, out, _ = command("doctor")
    assert code == 0
    assert "warning  HOME cannot be written" in out
    assert "RAY_AUTH_TOKEN_PATH" in out


def test_what_cannot_be_looked_at_is_a_problem_and_the_rest_is_looked_at(command, token, monkeypatch):
    monkeypatch.setattr(doctor, "describe_node", lambda: {}["no such user"])
    code, out, _ = command("doctor")
    assert code == 1
    assert "problem  KeyError: 'no such user'" in out
    assert "Cache of decoded images" in out
