"""Files that camerabias wrote and something damaged: each is named, or made again where nothing is lost by that."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from world import kinds

from camerabias.datasets.schema import CamerabiasError

MADE_AGAIN = {
    "run/dataset/facts.parquet",
    "dataset/pixels.parquet",
    "trials/checkpoint.json",
    "trials/checkpoint.safetensors",
}
"""What can be made again, or begun again, and so is, without a word."""

NOT_READ = {"judged/judged.parquet", "small_search/recipe.yaml", "small_search/trials.csv"}
"""What is written for people alone."""


@pytest.fixture(scope="module")
def files(whole_world):
    """The files that camerabias writes and reads again, with who reads them, by a short name."""
    found = {}
    for file, read in kinds(whole_world):
        below = file.relative_to(whole_world).parts
        if len(below) > 1 and file.suffix != ".png":
            name = f"trials/{file.name}" if "trials" in below else "/".join(file.parts[-2:])
            found["run/dataset/facts.parquet" if below[1:] == ("dataset", "facts.parquet") else name] = (
                file,
                read,
            )
    return {name: one for name, one in found.items() if name not in NOT_READ}


def outcome(file, content, read):
    """`read`, or `named` where an error names the file or its folder."""
    whole = file.read_bytes()
    file.write_bytes(content)
    try:
        read()
    except CamerabiasError as error:
        named = file.name in str(error) or file.parent.name in str(error)
        return "named" if named else str(error)
    finally:
        file.write_bytes(whole)
    return "read"


def cut(content):
    return content[: len(content) // 2]


def flipped(content):
    """One byte is another: of a table in its features, or its largest column, or of an empty one at its end."""
    at = len(content) // 3
    if content.startswith(b"PAR1"):
        at = len(content) - 6
        described = pq.read_metadata(pa.BufferReader(content))
        if described.num_rows:
            group = described.row_group(0)
            columns = [group.column(number) for number in range(group.num_columns)]
            read = [one for one in columns if one.path_in_schema.startswith("features")] or columns
            largest = max(read, key=lambda column: column.total_compressed_size)
            start = largest.dictionary_page_offset or largest.data_page_offset
            at = start + largest.total_compressed_size - 2
    return content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]


@pytest.mark.parametrize("harm", [cut, flipped, lambda content: b""], ids=["cut", "flipped", "empty"])
def test_damage_is_named_or_made_good(files, harm):
    found = {name: outcome(file, harm(file.read_bytes()), read) for name, (file, read) in files.items()}
    assert found == {name: "read" if name in MADE_AGAIN else "named" for name in files}


@pytest.mark.parametrize("name", ["dataset/dataset.json", "run/run.json", "report/verdict.json"])
def test_files_of_a_newer_version_say_so(files, name):
    file, read = files[name]
    whole = file.read_bytes()
    newer = json.loads(whole) | {"schema_version": 99, "unheard": {"of": 1}}
    try:
        file.write_text(json.dumps(newer))
        with pytest.raises(CamerabiasError, match=r"schema version 99; this camerabias reads version \d\. "):
            read()
    finally:
        file.write_bytes(whole)
