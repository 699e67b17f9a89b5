"""Commands that are stopped in the middle, or find no room: a sentence; the same command then comes to the same."""

import hashlib
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from world import digest

CAMERABIAS = Path(sys.executable).with_name("camerabias")
IMPORT = "data import {world}/photos.csv {out} --executor local"
JUDGE = "judge {world}/predictions.csv --run {out}"
AUDIT = "audit {world}/photos.csv --embeddings {world}/features.csv --run {out} --executor local --seeds 0,1"
COMMANDS = {IMPORT: "index.parquet", JUDGE: "judged.parquet", AUDIT: "trials/*/predictions.parquet"}
"""Commands, and the files that hold what they came to."""


def results(out, pattern):
    return {
        str(file.relative_to(out)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in out.glob(pattern)
    }


@pytest.mark.slow
@pytest.mark.parametrize("line", COMMANDS)
def test_ctrl_c_at_any_moment_is_a_sentence_and_the_same_command_resumes(whole_world, tmp_path, line):
    """In processes of their own, which alone show what the interpreter says; `make test` interrupts none."""
    dice, began = random.Random(0), time.monotonic()

    def start(out):
        words = line.format(world=whole_world, out=tmp_path / out).split()
        return subprocess.Popen(
            [CAMERABIAS, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    whole = start("whole")
    assert whole.communicate()[1] == ""
    seconds = time.monotonic() - began
    for _ in range(3):
        stopped = start("stopped")
        time.sleep(dice.uniform(0.5, max(seconds, 1.0)))  # after the interpreter's own start
        stopped.send_signal(signal.SIGINT)
        said = stopped.communicate(timeout=120)[1]
        assert (stopped.returncode, said) in [
            (-signal.SIGINT, ""),  # it had ended, and Python was about to
            (130, "Interrupted. The same command again resumes.\n"),
            (0, ""),
        ]
    assert start("stopped").wait() == 0
    expected = results(tmp_path / "whole", COMMANDS[line])
    assert expected
    assert results(tmp_path / "stopped", COMMANDS[line]) == expected


@pytest.fixture
def small_disk(tmp_path):
    """A function that makes a disk of so many KiB, and one that makes it large."""
    place = tmp_path / "disk"
    place.mkdir()

    def make(size):
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", place]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("mounting takes root on Linux")
        return place

    yield make, lambda: subprocess.run(["mount", "-o", "remount,size=64m", place], check=True)
    if place.is_mount():
        subprocess.run(["umount", place], check=True)


@pytest.mark.parametrize(
    ("line", "size"),
    [
        (IMPORT, 48),
        (JUDGE, 48),
        (AUDIT, 48),
        pytest.param(AUDIT, 200, marks=pytest.mark.slow),  # no room for what it found before training
        pytest.param(AUDIT, 300, marks=pytest.mark.slow),  # nor for its trials
    ],
)
def test_a_full_disk_is_a_sentence_and_the_same_command_resumes(
    command, whole_world, small_disk, impatient, line, size
):
    make, grow = small_disk
    disk = make(size)
    words = line.format(world=whole_world, out=disk / "out").split()
    before = digest(whole_world)
    code, _, err = command(*words)
    assert code == 1
    assert err.startswith("Error: The storage fails at ")
    assert "No space left on device" in err
    assert not list(disk.rglob("*.tmp"))
    grow()
    assert command(*words)[0] == 0
    assert results(disk / "out", COMMANDS[line])
    assert digest(whole_world) == before
