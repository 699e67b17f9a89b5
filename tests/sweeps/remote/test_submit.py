"""Submitting a command: what is refused before anything is sent, and what travels. Clusters are in tests/cluster."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

SWEEP = ["sweep", "run", "mine.yaml", "--data", "s3://bucket/photos", "--run", "s3://bucket/runs/my run"]


TABLE2 = ["sweep", "run", "table2", *SWEEP[3:]]


@pytest.fixture
def dashboard():
    """A function that starts a server which answers every request with a status; returns its address."""
    servers = []

    def start(status):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def sent(monkeypatch):
    """What would be sent to a cluster, with the files that it would find."""
    requests = []

    class Client:
        def __init__(self, address):
            self.address = address

        def submit_job(self, entrypoint, runtime_env):
            folder = Path(runtime_env["working_dir"])
            (code,) = map(Path, runtime_env["py_modules"])
            requests.append(
                {
                    "entrypoint": entrypoint,
                    "files": {
                        str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.*")
                    },
                    "code": {
                        str(path.relative_to(code.parent)) for path in code.rglob("*") if path.is_file()
                    },
                }
            )
            return "raysubmit_1"

    monkeypatch.setattr("ray.job_submission.JobSubmissionClient", Client)
    return requests


def test_weights_travel_however_the_option_is_written(command, dashboard, sent, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.pt").write_text("weights")
    assert command("submit", "--address", dashboard(401), "--", *TABLE2, "--weights=w.pt")[0] == 0
    assert sent[0]["files"] == {"w.pt": "weights"}


def test_command_code_and_the_files_it_names_travel(command, dashboard, sent, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text("title: mine")
    (tmp_path / "other.yaml").write_text("title: not named")
    code, out, err = command("submit", "--address", dashboard(401), "--", *SWEEP)
    assert (code, err) == (0, "")
    (request,) = sent
    assert request["entrypoint"] == (
        "camerabias sweep run mine.yaml --data s3://bucket/photos --run 's3://bucket/runs/my run'"
    )
    assert request["files"] == {"mine.yaml": "title: mine"}
    assert {
        "camerabias/__init__.py", "camerabias/results.py",
        "camerabias/sweeps/cli/main.py", "camerabias/sweeps/studies/table2.yaml",
        "camerabias/trainables/worker/trial.py",
        "camerabias/datasets/simulator/scene.py", "camerabias/analysis/report/templates/report.html",
    } <= request["code"]  # fmt: skip
    assert not any("__pycache__" in path for path in request["code"])
    assert "Submitted as raysubmit_1" in out
    for follow_up in ("ray job logs --follow --address", "ray job stop --address"):
        assert follow_up in out
    assert "camerabias sweep status 's3://bucket/runs/my run' --watch" in out
    assert "camerabias report 's3://bucket/runs/my run'" in out


@pytest.mark.parametrize(
    "lost",
    [
        [*TABLE2[:5], "--run", "runs/mine"],
        [*TABLE2[:5], "--run=runs/mine"],
        ["data", "simulate", "datasets/mine"],
        ["demo"],
        ["report", "runs/mine"],
    ],
)
def test_places_of_this_machine_are_refused(command, lost):
    code, _, err = command("submit", "--", *lost)
    assert code == 1
    assert "is a place on this machine, which the cluster does not see" in err


@pytest.mark.parametrize(
    ("wrong", "code"),
    [(["sweep", "runn", "table2"], 1), (["sweep", "run"], 2), ([*TABLE2, "--sseeds", "1"], 2)],
)
def test_what_is_no_command_is_refused_here(command, wrong, code):
    assert command("submit", "--", *wrong)[0] == code


def test_cluster_that_asks_for_no_token_is_refused_unless_insisted_on(command, dashboard, sent):
    address = dashboard(200)
    code, _, err = command("submit", "--address", address, "--", *TABLE2)
    assert (code, sent) == (1, [])
    assert "asks for no token" in err
    code, _, _ = command("submit", "--address", address, "--allow-unauthenticated", "--", *TABLE2)
    assert (code, len(sent)) == (0, 1)


def test_address_where_nothing_answers_says_how_to_get_there(command):
    code, _, err = command("submit", "--address", "http://127.0.0.1:9", "--", *TABLE2)
    assert code == 1
    assert "`ray dashboard cluster.yaml`" in err


def test_address_of_something_else_is_said_so(command, dashboard):
    code, _, err = command("submit", "--address", dashboard(404), "--", *TABLE2)
    assert code == 1
    assert "is no dashboard of Ray's" in err


def test_file_that_would_lie_elsewhere_on_the_cluster_is_refused(command, dashboard, tmp_path):
    study = tmp_path / "mine.yaml"
    study.write_text("title: mine")
    code, _, err = command("submit", "--address", dashboard(401), "--", "sweep", "run", study, *SWEEP[3:])
    assert code == 1
    assert "Call this from its folder" in err
