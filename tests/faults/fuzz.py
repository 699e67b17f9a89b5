"""The long run of bad inputs: inputs that a coverage-guided fuzzer makes up, and random ones through the command.

    pip install atheris     # into an environment of its own that has camerabias, too
    python tests/faults/fuzz.py coverage --cases 10000 --seed 0
    python tests/faults/fuzz.py commands --cases 200 --seed 0

`coverage` changes the files of the world (world.py) one at a time, keeps what reaches new lines of camerabias
(libFuzzer), and reads each. `commands` damages a file with random edits, and gives the world to a command in a
process of its own. Whatever is neither read nor refused in a sentence is kept in --out and counted; prints what it
came to as JSON. No part of `make test`: figures are in docs/reliability.md.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

HANG_SECONDS = 60
"""A reader, or a command, that takes longer hangs: whole inputs take a tenth of a second, and commands three.

On a machine that others use `--patience` waits longer for commands.
"""


class Faults:
    """What went wrong, one example of each kind kept."""

    def __init__(self, out: Path) -> None:
        self.out, self.kinds = out, Counter[str]()
        self.cases = Counter[str]()
        out.mkdir(parents=True, exist_ok=True)

    def add(self, kind: str, content: bytes, said: str) -> None:
        """Count a fault; of the first of its kind, keep the input and what was said."""
        if kind not in self.kinds:
            number = len(self.kinds)
            (self.out / f"{number}.input").write_bytes(content)
            (self.out / f"{number}.txt").write_text(f"{kind}\n\n{said}")
            print(f"fault {number}: {kind}", flush=True)
        self.kinds[kind] += 1

    def summary(self, began: float, **more: object) -> str:
        """All that was counted, as JSON."""
        counts = {"cases": self.cases.total(), "by reader": dict(self.cases), "faults": dict(self.kinds)}
        return json.dumps({**counts, "minutes": round((time.monotonic() - began) / 60, 1), **more})


# --- chosen by coverage ---------------------------------------------------------------------------------


def coverage(asked: argparse.Namespace) -> None:
    """Let libFuzzer make up contents of files, by the lines of camerabias that they reach."""
    import atheris

    with atheris.instrument_imports(include=["camerabias"]):
        import world

        from camerabias.datasets.schema import CamerabiasError

    folder = Path(tempfile.mkdtemp(prefix="camerabias-fuzz-"))
    os.environ["CAMERABIAS_CACHE"] = str(folder / "cache")
    (folder / "world").mkdir()
    world.make_world(folder / "world")
    files = world.kinds(folder / "world")
    whole = [file.read_bytes() for file, _ in files]
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, content in enumerate(whole):
        (corpus / str(number)).write_bytes(bytes([number]) + content)
    before, faults, began = world.digest(folder / "world"), Faults(asked.out), time.monotonic()

    def end() -> None:
        found = sum(path.stat().st_mtime > corpus_made for path in corpus.iterdir())
        changed = world.digest(folder / "world") != before
        print(faults.summary(began, seed=asked.seed, kept_for_coverage=found, other_files_changed=changed))
        shutil.rmtree(folder)
        os._exit(bool(faults.kinds) or changed)  # libFuzzer would end by itself, without a word

    corpus_made = time.time()

    def one(data: bytes) -> None:
        number = data[0] % len(files) if data else 0
        (file, read), content, start = files[number], data[1:], time.monotonic()
        file.write_bytes(content)
        try:
            read()
        except CamerabiasError:
            pass
        except Exception as error:  # noqa: BLE001 - a fault: counted and kept
            faults.add(_place(error), content, f"{file}\n{traceback.format_exc()}")
        finally:
            file.write_bytes(whole[number])
        if time.monotonic() - start > HANG_SECONDS:
            faults.add(f"{file.name} took {time.monotonic() - start:.0f} s", content, "")
        faults.cases[_reader(read)] += 1
        if faults.cases.total() >= asked.cases:
            end()

    options = [
        f"-seed={asked.seed + 1}",
        "-max_len=60000",
        "-rss_limit_mb=4096",
        "-timeout=300",
        "-verbosity=0",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], one)
    atheris.Fuzz()


def _reader(read: object) -> str:
    return read.func.__name__.removeprefix("read_")  # type: ignore[attr-defined]


def _place(error: BaseException) -> str:
    """The kind of an error, and the last line of camerabias that it came through."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "tests/faults" not in f.filename]
    ours = [
        frame
        for frame in frames
        if "site-packages" not in frame.filename and "/lib/python" not in frame.filename
    ]
    last = (ours or frames)[-1]
    return f"{type(error).__name__} at {'/'.join(Path(last.filename).parts[-3:])}:{last.name}"


# --- through the command --------------------------------------------------------------------------------


def commands(asked: argparse.Namespace) -> None:
    """Give the world with a damaged file to the command."""
    import world

    folder = Path(tempfile.mkdtemp(prefix="camerabias-fuzz-"))
    os.environ["CAMERABIAS_CACHE"] = str(folder / "cache")
    (folder / "world").mkdir()
    world.make_world(folder / "world")
    faults, dice, began = Faults(asked.out), random.Random(asked.seed), time.monotonic()
    codes: Counter[int] = Counter()
    while faults.cases.total() < asked.cases:
        code = _case(folder, dice, faults, world, asked.patience)
        codes[code] += 1
    print(faults.summary(began, seed=asked.seed, exit_codes=dict(sorted(codes.items()))))
    shutil.rmtree(folder)
    sys.exit(bool(faults.kinds))


COMMANDS = {
    "check photos.*": "check {file}",
    "data import photos.*": "data import {file} {out} --executor local",
    "check coco.json": "check {file}",
    "data import Ax0.png": "data import {world}/photos.csv {out} --executor local --max-rejected 0.1",
    "judge predictions.*": "judge {file} --run {out}",
    "sweep plan study.yaml": "sweep plan {file} --data {world}/run/dataset --run {out} --weights none",
    "sweep plan recipe.yaml": "sweep plan audit --recipe {file} --data {world}/run/dataset --run {out}",
    "report run": "report {world}/run",
    "sweep status run": "sweep status {world}/run",
    "check dataset": "check {world}/run/dataset",
    "judge judged": "judge {world}/judged",
    "audit features.*": "audit {world}/run/dataset --run {out} --embeddings {file} --quick --executor local",
    "audit dataset": "audit {world}/photos.csv --run {world}/run --embeddings {world}/features.csv --executor local",
}
"""Commands, by their name and the file that is damaged: below `run`, `dataset` or `judged` any."""


def _damaged(world: Path, name: str, dice: random.Random) -> Path:
    last = name.rpartition(" ")[2]
    below = {"run": "run/**/*.*", "dataset": "run/dataset/**/*.*", "judged": "judged/**/*.[jp]*"}.get(
        last, last
    )
    return dice.choice(sorted(path for path in world.glob(below) if path.is_file() and path.suffix != ".pdf"))


def _case(folder: Path, dice: random.Random, faults: Faults, world: object, patience: float) -> int:
    """One case; returns the exit code."""
    here, out = folder / "case", folder / "out"
    for old in (here, out):
        shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(folder / "world", here)
    name = dice.choice(sorted(COMMANDS))
    file = _damaged(here, name, dice)
    file.write_bytes(world.edited(file.read_bytes(), _edits(dice)))  # type: ignore[attr-defined]
    before = world.digest(here)  # type: ignore[attr-defined]
    line = COMMANDS[name].format(file=file, world=here, out=out).split()
    faults.cases[name] += 1
    try:
        done = subprocess.run(
            ["camerabias", *line], capture_output=True, timeout=patience, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        faults.add(f"{name} hangs", file.read_bytes(), str(file))
        return -1
    said = done.stderr.decode(errors="replace")
    gone = [
        path
        for path, content in before.items()
        if _own(path, name) and world.digest(here).get(path) != content
    ]  # type: ignore[attr-defined]
    if problem := _problem(done.returncode, said, gone, name, out):
        faults.add(
            f"{name}: {problem}", file.read_bytes(), f"{file}\n{' '.join(line)}\n{done.stdout!r}\n{said}"
        )
    return done.returncode


def _own(path: str, name: str) -> bool:
    """Whether a file is the user's: what a command writes into its run, or keeps in its dataset, is not."""
    return (
        not path.startswith("run/")
        if name in ("report run", "audit dataset")
        else path not in ("run/dataset/facts.parquet", "run/dataset/pixels.parquet")
    )


def _problem(code: int, said: str, gone: list[str], name: str, out: Path) -> str:
    """What is wrong with the end of a command; nothing where all is as it should be."""
    if code not in (0, 1, 3) or "Traceback" in said or "bug in camerabias" in said:
        return f"exit code {code}, {said.strip().splitlines()[0][:120] if said.strip() else 'nothing said'}"
    if code == 1 and not said.strip() and name != "audit dataset":
        return "fails without a word"
    if gone:
        return f"changed {gone[0]}"
    if code == 1 and (out / "dataset.json").exists():
        return "fails, and leaves a dataset"
    return ""


def _edits(dice: random.Random) -> list[tuple[str, float, bytes]]:
    kinds = ["flip", "cut", "insert", "double", "end"]
    return [
        (dice.choice(kinds), dice.random(), dice.randbytes(dice.randint(1, 8)))
        for _ in range(dice.randint(1, 4))
    ]


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("how", choices=["coverage", "commands"])
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--patience", type=float, default=HANG_SECONDS, metavar="SECONDS")
    parser.add_argument("--out", type=Path, default=Path("fuzz-faults"))
    asked = parser.parse_args()
    (coverage if asked.how == "coverage" else commands)(asked)


if __name__ == "__main__":
    main()
