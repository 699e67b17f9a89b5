"""What goes on around a command: another one beside it, no permission, a clock that jumps, an output that closes."""

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from PIL import Image
from world import digest

CAMERABIAS = str(Path(sys.executable).with_name("camerabias"))
AUDIT = (
    "audit {world}/photos.csv --embeddings {world}/features.csv --run {out} --executor local --seeds {seeds}"
)
IMPORT = "data import {world}/photos.csv {out} --executor local"
WITHOUT_ROOTS_RIGHTS = "-dac_override,-dac_read_search"
"""What lets root read and write where nobody else may."""


def words(line, **places):
    return line.format(**{"seeds": "0,1", **places}).split()


@pytest.fixture
def side_by_side():
    """A function that starts commands at one moment; returns exit code and errors of each, in order."""

    def run(*lines):
        with ExitStack() as stack:
            started = [
                stack.enter_context(
                    subprocess.Popen(
                        [CAMERABIAS, *line], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
                    )
                )
                for line in lines
            ]
            said = [process.communicate(timeout=300)[1] for process in started]
        return sorted((process.returncode, text) for process, text in zip(started, said, strict=True))

    return run


@pytest.mark.slow
def test_two_audits_of_one_run_come_to_what_one_comes_to(command, side_by_side, whole_world, tmp_path):
    """In processes of their own, which alone hold a lease each; `make test` takes a lease in one."""
    line = words(AUDIT, world=whole_world, out=tmp_path / "run")
    (_, first), (code, second) = side_by_side(line, line)
    assert "Traceback" not in first + second
    assert code == 0 or f"is at work on {tmp_path / 'run'}. Let it end" in second
    assert command(*line)[0] == 0
    assert command(*words(AUDIT, world=whole_world, out=tmp_path / "alone"))[0] == 0
    found, expected = (
        {
            path: content
            for path, content in digest(tmp_path / run / "trials").items()
            if path.endswith("predictions.parquet")
        }
        for run in ("run", "alone")
    )
    assert found == expected != {}


def test_of_two_imports_into_one_folder_the_second_waits_and_is_told_what_is_there(
    side_by_side, whole_world, tmp_path
):
    """In processes of their own: what holds the folder belongs to a process."""
    whole = (whole_world / "photos.csv").read_text()
    less = whole_world / "less.csv"
    less.write_text("\n".join(whole.splitlines()[:13]))
    try:
        other = ["data", "import", str(less), str(tmp_path / "out"), "--executor", "local"]
        (code, _), (other_code, said) = side_by_side(
            words(IMPORT, world=whole_world, out=tmp_path / "out"), other
        )
    finally:
        less.unlink()
    assert (code, other_code) == (0, 1)
    assert f"{tmp_path / 'out'} holds" in said


@pytest.fixture
def unprivileged():
    """A function that runs a command as root without root's rights; skips where that cannot be done."""
    drop = ["setpriv", f"--bounding-set={WITHOUT_ROOTS_RIGHTS}", f"--inh-caps={WITHOUT_ROOTS_RIGHTS}"]
    if os.geteuid() or subprocess.run([*drop, "true"], capture_output=True, check=False).returncode:
        pytest.skip("takes root and setpriv")

    def run(line):
        done = subprocess.run([*drop, CAMERABIAS, *line], capture_output=True, text=True, timeout=300)
        return done.returncode, done.stderr

    return run


@pytest.fixture
def of_somebody_else(world):
    """The world, owned by another user, who lets everybody read it."""
    for path in [world, *world.rglob("*")]:
        os.chown(path, 65534, 65534)
    return world


@pytest.mark.parametrize(
    ("locked", "mode", "line"),
    [
        ("", 0o755, AUDIT.replace("{out}", "{world}/new")),
        ("run", 0o755, AUDIT.replace("{out}", "{world}/run")),
        ("run", 0o700, "report {world}/run"),
        ("run/dataset", 0o700, "check {world}/run/dataset"),
    ],
    ids=["a new run", "a run of theirs", "a locked run", "a locked dataset"],
)
def test_a_folder_of_somebody_else_is_a_sentence_and_stays_as_it_is(
    unprivileged, of_somebody_else, locked, mode, line
):
    """As a process of its own, which alone can be without rights."""
    before = digest(of_somebody_else)
    (of_somebody_else / locked).chmod(mode)
    code, err = unprivileged(words(line, world=of_somebody_else))
    assert code == 1
    assert err.startswith("Error: The storage fails at ")
    assert err.count("\n") == 1
    assert (
        "(Permission denied): your user may not read or write there; change that with chmod or chown" in err
    )
    assert digest(of_somebody_else) == before


def test_a_clock_set_back_between_two_steps_loses_nothing(command, whole_world, tmp_path, monkeypatch):
    run = tmp_path / "run"
    assert command(*words(AUDIT, world=whole_world, out=run, seeds="0"))[0] == 0
    before = digest(run / "trials")
    _as_of_tomorrow(run)
    code, out, err = command("sweep", "status", run)
    assert (code, err) == (0, "")
    code, out, err = command(*words(AUDIT, world=whole_world, out=run))
    assert (code, err) == (0, "")
    assert "2 of them run now" in out
    assert digest(run / "trials").items() >= before.items()


def test_photos_edited_after_the_clock_was_set_back_are_noticed(command, world, tmp_path):
    line = words(IMPORT, world=world, out=tmp_path / "out")
    assert command(*line)[0] == 0
    _as_of_tomorrow(tmp_path / "out")
    assert command(*line)[0] == 0
    Image.new("RGB", (32, 32), "red").save(world / "Ax3.png")
    code, _, err = command(*line)
    assert code == 1
    assert "1 have other pixels (first: Ax3.png)" in err


def _as_of_tomorrow(folder):
    """Let files be as if they had been written when the clock was a day ahead."""
    for path in folder.rglob("*"):
        os.utime(path, (time.time() + 86400,) * 2)


@pytest.mark.slow
def test_an_output_that_closes_ends_an_audit_quietly_and_the_same_command_resumes(
    command, whole_world, tmp_path
):
    """As a process of its own, which alone has a pipe; `make test` closes none but that of `--help`."""
    line = words(AUDIT, world=whole_world, out=tmp_path / "run")
    audit = subprocess.Popen([CAMERABIAS, *line], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert audit.stdout.readline()
    audit.stdout.close()
    assert (audit.stderr.read(), audit.wait(timeout=300)) == (b"", 1)
    assert command(*line)[0] == 0
