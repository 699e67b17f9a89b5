"""Which Ray is joined, and what is said where none answers or none can start."""

import os
import socket
import subprocess
import sys
import threading
import time

import pytest

from camerabias.datasets.io.ray_address import cluster_address, why_unreachable
from camerabias.datasets.io.ray_connection import connect_ray
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.views.cache import cache_folder


@pytest.fixture
def listen():
    """Listen on a port, and answer everybody with some bytes; returns the port."""
    servers = []

    def serve(answer):
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def run():
            try:
                while True:
                    connection, _ = server.accept()
                    servers.append(connection)
                    connection.sendall(answer)
            except OSError:
                pass  # the test is over

        threading.Thread(target=run, daemon=True).start()
        return server.getsockname()[1]

    yield serve
    for one in servers:
        one.close()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.mark.parametrize("value", ["", "  ", "local"])
def test_empty_address_is_as_unset(monkeypatch, value):
    monkeypatch.setenv("RAY_ADDRESS", value)
    assert cluster_address(None) is None
    assert cluster_address("head:6379") == "head:6379"


@pytest.fixture
def _unconnected(monkeypatch):
    """As in a process that has joined no Ray yet, which other tests of this one may have done."""
    monkeypatch.setattr("ray.is_initialized", lambda: False)


@pytest.mark.parametrize(
    "pattern", ["127.0.0.1:{}", "localhost:{}", "ray://127.0.0.1:{}", "[::1]:{}", "no.invalid:{}"]
)
@pytest.mark.usefixtures("_unconnected")
def test_dead_address_is_answered_at_once_and_says_how_to_go_on(monkeypatch, pattern):
    address = pattern.format(free_port())
    monkeypatch.setenv("RAY_ADDRESS", address)
    began = time.monotonic()
    with pytest.raises(CamerabiasError, match="RAY_ADDRESS") as error:
        connect_ray()
    assert time.monotonic() - began < 10
    assert address in str(error.value)
    assert "unset RAY_ADDRESS" in str(error.value)


@pytest.mark.usefixtures("_unconnected")
def test_dead_address_that_was_asked_for_is_named_by_its_option(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(CamerabiasError, match="drop --address"):
        connect_ray(f"127.0.0.1:{free_port()}")


def test_what_answers_must_speak_as_ray_does(listen, monkeypatch):
    assert "no Ray" in why_unreachable(f"127.0.0.1:{listen(b'HTTP/1.1 400 Bad Request')}")
    assert why_unreachable(f"127.0.0.1:{listen(bytes([0, 0, 0, 4, 0]))}") == ""
    monkeypatch.setattr("camerabias.datasets.io.ray_address.PATIENCE_SECONDS", 0.3)
    assert why_unreachable(f"127.0.0.1:{listen(b'')}")


@pytest.mark.parametrize("address", ["auto", "http://127.0.0.1:1", "host", "host:port", "[::1"])
def test_what_names_no_port_is_left_to_ray(address):
    assert why_unreachable(address) == ""


WORK = "from camerabias.datasets.io.executor import RayExecutor; print(*RayExecutor().map(dict, [{'n': 7}]))"
DONE = "{'n': 7}\n"


def begin(*before, work=WORK, **environment):
    """Start a Ray and work on it in a process of its own, whose command may have words before it."""
    there = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")} | environment
    line = [*before, sys.executable, "-c", work]
    return subprocess.Popen(line, env=there, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    """Its output and errors, once it has ended."""
    try:
        return process.communicate(timeout=200)
    finally:
        process.kill()


ODD = {
    "HOME": "/proc/no-home",
    "TMPDIR": "",
    "CUDA_VISIBLE_DEVICES": "",
    **dict.fromkeys(
        ("http_proxy", "https_proxy", "HTTP_PROXY", "grpc_proxy", "all_proxy"), "http://127.0.0.1:9"
    ),
}
SMALL_SHM = [
    "unshare",
    "--map-root-user",
    "--mount",
    "bash",
    "-c",
    'mount -t tmpfs -o size=64m tmpfs /dev/shm && exec "$@"',
    "-",
]


@pytest.mark.xdist_group("ray")
def test_ray_works_without_home_behind_dead_proxies_and_with_the_shared_memory_of_a_container():
    can_mount = subprocess.run([*SMALL_SHM, "true"], capture_output=True, check=False).returncode == 0
    out, err = finish(begin(*SMALL_SHM * can_mount, **ODD))
    assert out == DONE, err


WITHIN = f"""
import subprocess, sys, ray
ray.init(address="local", include_dashboard=False, log_to_driver=False, _node_ip_address="127.0.0.1")
{WORK}
@ray.remote
def run():
    return subprocess.run([sys.executable, "-c", {WORK!r}], capture_output=True, text=True, timeout=100)
done = ray.get(run.remote())
print(done.stdout, end="")
print(done.stderr, file=sys.stderr)
"""


@pytest.mark.slow  # alone shows that Rays of several programs on one machine leave each other alone
@pytest.mark.xdist_group("ray")
def test_rays_work_beside_each_other_and_within_a_program_that_has_one():
    beside, within = begin(), begin(work=WITHIN)
    (within, said), (beside, of_other) = finish(within), finish(beside)
    assert (within, beside) == (DONE + DONE, DONE), (said, of_other)


@pytest.mark.xdist_group("ray")
def test_ray_that_cannot_start_is_a_sentence_with_a_way_out(tmp_path):
    long = tmp_path / ("x" * 90)
    long.mkdir()
    _, err = finish(begin(TMPDIR=str(long)))
    last = err.splitlines()[-1]
    assert "Ray cannot start on this machine" in last
    assert "107 bytes" in last
    assert "--executor local" in last
    assert "TMPDIR=/tmp" in last


def test_cache_of_a_user_without_a_home_lies_among_temporary_files(monkeypatch, tmp_path):
    monkeypatch.delenv("CAMERABIAS_CACHE")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("HOME", "/proc/no-home")
    assert cache_folder().parent == tmp_path
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert cache_folder() == tmp_path / "me/.cache/camerabias"
    monkeypatch.setenv("CAMERABIAS_CACHE", "")
    assert cache_folder() == tmp_path / "me/.cache/camerabias"
