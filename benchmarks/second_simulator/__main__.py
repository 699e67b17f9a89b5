"""Make datasets and print their digests: `python -m benchmarks.second_simulator FOLDER`, from the project's root.

A file that is there is kept. `--check` compares the digests with `hashes.txt` and exits with 1 where one differs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import pyarrow.parquet as pq

from .datasets import digest, make

HASHES = Path(__file__).parent / "hashes.txt"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.second_simulator", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--datasets", type=int, default=200, help="how many")
    parser.add_argument("--start", type=int, default=0, help="number of the first")
    parser.add_argument("--check", action="store_true", help="compare with hashes.txt")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    options.folder.mkdir(parents=True, exist_ok=True)
    known = dict(line.split() for line in HASHES.read_text().splitlines()) if options.check else {}
    differing = 0
    for number in range(options.start, options.start + options.datasets):
        path = options.folder / f"dataset-{number:03d}.parquet"
        if not path.exists():
            unfinished = path.with_suffix(".part")
            pq.write_table(make(number), unfinished)
            unfinished.rename(path)
        found = digest(path)
        differs = options.check and known.get(path.stem) != found
        differing += differs
        print(path.stem, found, *["differs from hashes.txt"] * differs, flush=True)
    return min(differing, 1)


if __name__ == "__main__":
    sys.exit(main())
