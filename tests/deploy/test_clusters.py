"""cluster.yaml and deploy/cluster-local.yaml, as Ray reads them."""

import re
import subprocess

import pytest
from ray.autoscaler._private.providers import _get_default_config
from ray.autoscaler._private.util import prepare_config, validate_config

NAMES = ["cluster.yaml", "deploy/cluster-local.yaml"]
COMMANDS = [
    "head_setup_commands",
    "worker_setup_commands",
    "head_start_ray_commands",
    "worker_start_ray_commands",
]


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def given(clusters, name):
    return clusters[name]


@pytest.fixture
def prepared(given):
    """The file with what Ray makes of it before it talks to any machine."""
    return prepare_config(given)


def test_nothing_is_left_to_the_defaults_of_ray(given):
    assert set(_get_default_config(given["provider"])) <= set(given)


def test_ray_takes_the_file(prepared):
    validate_config(prepared)


def test_head_and_workers_are_set_up_alike(prepared):
    assert prepared["head_setup_commands"] == prepared["worker_setup_commands"]
    assert any(
        "--require-hashes ~/camerabias/requirements.lock" in c for c in prepared["head_setup_commands"]
    )
    assert any("--no-deps ~/camerabias/dist/" in c for c in prepared["head_setup_commands"])
    assert set(prepared["file_mounts"].values()) == {"dist", "requirements.lock", "~/.ray/auth_token"}


OLDER_AUTOSCALER = "RAY_enable_autoscaler_v2=0 "
"""Ray 2.60's newer one does not replace a lost worker of own machines, as the tests of the cluster show."""


def test_both_files_install_and_start_the_same(clusters):
    aws, local = (prepare_config(clusters[name]) for name in NAMES)
    for key in COMMANDS:
        assert aws[key] == [command.replace(OLDER_AUTOSCALER, "") for command in local[key]]
    assert aws["file_mounts"] == local["file_mounts"]


def test_the_dashboard_listens_to_the_head_alone(prepared):
    (start,) = [command for command in prepared["head_start_ray_commands"] if "ray start" in command]
    assert "--dashboard-host=127.0.0.1" in start.split()


def test_every_start_asks_for_the_token(prepared):
    for key in ("head_start_ray_commands", "worker_start_ray_commands"):
        starts = [command for command in prepared[key] if "ray start" in command]
        assert starts
        assert all("RAY_AUTH_MODE=token ray start" in command for command in starts)
    assert prepared["head_setup_commands"][0] == "chmod 600 ~/.ray/auth_token"


def test_commands_are_shell(prepared):
    script = "\n".join(command for key in COMMANDS for command in prepared[key])
    assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0


def test_setting_up_twice_leaves_one_line_in_bashrc(prepared, tmp_path):
    (command,) = [command for command in prepared["head_setup_commands"] if "bashrc" in command]
    (tmp_path / ".bashrc").write_text("# what the user has\n")
    show = "bash -c '. ~/.bashrc; echo $RAY_AUTH_MODE $PATH'"
    script = f"{command}; {command}; grep -c camerabias ~/.bashrc; {show}"
    shell = ["bash", "-ec", script]
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    said = subprocess.run(shell, env=environment, capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == ["1", f"token {tmp_path}/camerabias/.venv/bin:/usr/bin:/bin"]


def test_python_and_uv_are_the_same_everywhere(read):
    texts = [read(name) for name in (*NAMES, "Dockerfile")]
    pythons = [set(re.findall(r"(?:--python |python:)(3\.\d+\.\d+)", text)) for text in texts]
    uvs = [set(re.findall(r"uv(?:/|==)(\d+\.\d+\.\d+)", text)) for text in texts]
    assert pythons[0] == pythons[1] == pythons[2]
    assert uvs[0] == uvs[1] == uvs[2]
    ((python,), (_uv,)) = pythons[0], uvs[0]
    # the lock is made for it, by `make lock`
    (locked_for,) = re.findall(r"--python-version (\S+)", read("Makefile"))
    assert python.startswith(locked_for + ".")


def test_nothing_of_ray_is_installed_beside_the_lock(prepared):
    installs = [command for key in COMMANDS for command in prepared[key] if "pip" in command]
    assert all("requirements.lock" in command or "--no-deps" in command for command in installs)


def test_own_machines_all_join(clusters):
    local = prepare_config(clusters["deploy/cluster-local.yaml"])
    (kind,) = local["available_node_types"].values()
    assert kind["min_workers"] == kind["max_workers"] == len(local["provider"]["worker_ips"])
    for key in ("head_start_ray_commands", "worker_start_ray_commands"):
        assert OLDER_AUTOSCALER in local[key][-1]
