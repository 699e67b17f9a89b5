"""Output that a shell has sent elsewhere: other encodings, full disks, closed pipes; each in a process of its own."""

import os
import subprocess
import sys

import pytest


@pytest.fixture
def shell(tmp_path):
    """Run `camerabias ARGUMENTS` by a shell; returns exit code, output and errors as bytes."""

    def run(line, **environment):
        line = line.replace("{cb}", f"{os.path.dirname(sys.executable)}/camerabias")
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {line}"],
            cwd=tmp_path, env=os.environ | environment, capture_output=True, timeout=120,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_what_an_encoding_lacks_is_replaced(shell, encoding):
    code, out, err = shell("{cb} sweep unpack 日本.tar.gz ö; {cb} data --help", PYTHONIOENCODING=encoding)
    assert code == 0
    assert rb"\u65e5\u672c.tar.gz" in err
    out.decode(encoding)


def test_full_output_is_a_sentence(shell):
    code, _, err = shell("{cb} --help > /dev/full")
    assert code == 1
    assert err.decode().splitlines() == [
        "Error: Cannot write the output (No space left on device); send it elsewhere, or free space there."
    ]


def test_full_error_output_leaves_the_exit_code(shell):
    assert shell("{cb} report nowhere 2> /dev/full")[0] == 1


def test_closed_pipe_is_quiet(shell):
    code, _, err = shell("{cb} --help | true")
    assert code in (0, 1)
    assert err == b""


def test_closed_output_is_no_error(shell):
    assert shell("{cb} --help >&-")[0] == 0


@pytest.mark.parametrize(
    "arguments", [["data", "show", "\x1b[31mx"], ["data", "show", "x", "\x1b[31mx"], ["\x1b[31mx"]]
)
def test_errors_hold_no_order_to_a_terminal(command, arguments):
    code, out, err = command(*arguments)
    assert code in (1, 2)
    assert "\x1b" not in out + err
    assert r"\x1b[31mx" in err


def test_warnings_hold_no_order_to_a_terminal(shell, tmp_path):
    script = (
        "import logging; from camerabias.sweeps.cli import main; "
        "main.app = lambda: logging.getLogger('camerabias').warning('waiting for \\x1b[31m'); main.main()"
    )
    (tmp_path / "warn.py").write_text(script)
    _, _, err = shell(f"{sys.executable} warn.py")
    assert err == b"waiting for \\x1b[31m\n"


def test_a_notebooks_backend_that_is_not_installed_draws_nothing(shell, tmp_path):
    rows = [f"{cat},{'AB'[n % 2]},cat" for n in range(40) for cat in ("cat", "dog")]
    (tmp_path / "t.csv").write_text("\n".join(["label,camera,prediction", *rows]))
    code, out, _ = shell("{cb} judge t.csv --run judged", MPLBACKEND="module://not_installed.backend_inline")
    assert code == 0
    assert b"Report: " in out
    assert (tmp_path / "judged/report/figures/accuracy_by_camera.png").exists()
