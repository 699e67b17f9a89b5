"""What is printed: on terminals of any width, and whatever names hold."""

import io

import pandas as pd
import pytest
from rich.cells import cell_len

from camerabias.sweeps.monitoring import console as module
from camerabias.trainables.worker.node import Node

FRAME = pd.DataFrame(
    {"setting": ["a balanced one", "b"], "accuracy": ["0.974 [0.961, 0.985]", "0.5"], "images": [123456, 7]}
)


@pytest.fixture
def printed(monkeypatch):
    """Print a frame on a terminal, or into a file, of some width and encoding; returns the lines."""

    def run(frame, width, is_terminal=True, title="Accuracies", encoding="utf-8"):
        stream = io.TextIOWrapper(io.BytesIO(), encoding, "backslashreplace", write_through=True)
        console = type(module.console)(
            file=stream, width=width, force_terminal=is_terminal, soft_wrap=True, markup=False, emoji=False,
            highlight=False, color_system=None,
        )  # fmt: skip
        monkeypatch.setattr(module, "console", console)
        module.print_frame(frame, title)
        return stream.buffer.getvalue().decode(encoding).splitlines()

    return run


def test_table_that_fits_keeps_each_row_on_a_line(printed):
    lines = printed(FRAME, 80)
    assert any(
        "a balanced one" in line and "0.974 [0.961, 0.985]" in line and "123456" in line for line in lines
    )


@pytest.mark.parametrize("width", range(12, 80, 4))
def test_no_number_and_no_header_is_cut_at_any_width(printed, width):
    lines = printed(FRAME, width)
    text = "\n".join(lines)
    assert "…" not in text
    for whole in ("setting", "accuracy", "images", "balanced", "0.974", "0.985]", "123456"):
        assert whole in text
    if "│" in text:
        assert max(map(len, lines)) <= width


def test_narrow_terminal_gets_a_value_a_line(printed):
    lines = printed(FRAME, 20)
    assert lines[:5] == [
        "Accuracies", "", "setting: a balanced one", "  accuracy: 0.974 [0.961, 0.985]", "  images: 123456",
    ]  # fmt: skip


def test_file_gets_a_table_however_wide(printed):
    frame = pd.DataFrame([range(100000, 100040)], columns=[f"camera{i}" for i in range(40)])
    (row,) = (line for line in printed(frame, 140, is_terminal=False) if "100000" in line)
    assert "100039" in row


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_columns_stand_in_line_in_any_encoding(printed, encoding):
    lines = printed(pd.DataFrame({"label": ["日本", "Škoda", "Äpfel"]}), 80, encoding=encoding)[1:]
    assert len({cell_len(line) for line in lines}) == 1
    assert ("日" in "".join(lines)) == (encoding == "utf-8")


def test_names_are_printed_as_they_are_and_never_obeyed(printed):
    frame = pd.DataFrame({"\x1b[2Jhead": ["\x1b]0;title\x07", ":cat: [b]", "a\nb\r", "\x9b31m\u202e"]})
    text = "\n".join(printed(frame, 80, title="\x1b[31mred"))
    assert not set("\x1b\x07\r\x9b\u202e") & set(text)
    for shown in (
        r"\x1b[2Jhead",
        r"\x1b]0;title\x07",
        ":cat: [b]",
        r"a\nb\r",
        r"\x9b31m\u202e",
        r"\x1b[31mred",
    ):
        assert shown in text


def test_a_sentence_ends_its_lines_between_words_and_keeps_a_number_with_its_sign(printed, monkeypatch):
    sentence = "Photos are given it 31 points more often (95 % CI [22, 40], p < 0.001)."
    for width in range(20, 70):
        printed(FRAME, width)  # a terminal of this width
        with module.console.capture() as captured:
            module.print_sentence(sentence, "• ")
        lines = captured.get().splitlines()
        assert max(map(cell_len, lines)) <= width
        assert " ".join(line.strip() for line in lines) == f"• {sentence}"
        assert all(line.startswith("  ") for line in lines[1:])
        assert sum("p < 0.001" in line for line in lines) == sum("31 points" in line for line in lines) == 1


def test_counted_work_says_now_and_then_how_far_it_is_where_there_is_no_bar(capsys, monkeypatch):
    times = iter([0, 10, 40, 50, 90, 91, 92])
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(times)))
    with module.counting("Measuring, shards") as report:
        for done in (1, 4, 5, 9, 10):
            report(done, 10)
    assert capsys.readouterr().out.splitlines() == [
        "Measuring, shards: 4 of 10, about 1 min 0 s remaining",
        "Measuring, shards: 9 of 10, about 10 s remaining",
        "Measuring, shards: 10 in 1 min 32 s",
    ]


def test_a_sentence_in_a_file_is_one_line(printed):
    printed(FRAME, 20, is_terminal=False)
    with module.console.capture() as captured:
        module.print_sentence("word " * 50)
    assert captured.get().count("\n") == 1


def test_every_node_is_named_with_what_it_has(capsys):
    versions = {"torch": "2.9.1", "numpy": "2.4.6"}
    bare = Node(host="bare", cpus=2, memory_gib=22.9, gpus=(), versions=versions)
    rich = Node(host="rich", cpus=16, memory_gib=128.0, gpus=("H200", "A100"), versions=versions)
    module.print_nodes([bare, rich])
    assert capsys.readouterr().out.splitlines() == [
        "Node bare: 2 CPUs, 22.9 GiB, no GPU; torch 2.9.1, numpy 2.4.6",
        "Node rich: 16 CPUs, 128.0 GiB, H200, A100; torch 2.9.1, numpy 2.4.6",
    ]
