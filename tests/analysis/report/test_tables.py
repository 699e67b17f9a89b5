import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from camerabias.analysis.records.load import load_records
from camerabias.analysis.report.tables import make_tables, write_frames, write_tables
from camerabias.datasets.io.storage import Folder

COLUMNS = [
    "study",
    "target",
    "setting",
    "train_view",
    "test_view",
    "model",
    "cameras",
    "n",
    "mean",
    "low",
    "high",
    "chance",
    "paper",
    "mitigation",
    "recipe",
]


def tidy_of(run):
    return {table.study.name: table.tidy for table in make_tables(load_records(run.folder.path))}


def wide_of(run):
    return [wide for table in make_tables(load_records(run.folder.path)) for wide in table.wide]


def test_tidy_table_of_the_demo(demo_run):
    tidy = tidy_of(demo_run)["demo"]
    assert list(tidy.columns) == COLUMNS
    keys = [tuple(row) for row in tidy[["target", "setting", "cameras", "n"]].itertuples(index=False)]
    assert keys == [
        ("camera", "balanced", "all", 4),
        ("label", "balanced", "all", 4),
        ("label", "partial", "all", 3),
        ("label", "partial", "seen", 3),
        ("label", "partial", "unseen", 3),
        ("label", "disjoint", "all", 2),
        ("label", "disjoint", "seen", 2),
        ("label", "disjoint", "unseen", 2),
    ]
    assert tidy["mean"].iloc[:3].tolist() == pytest.approx([0.99, 0.96, 0.93])
    assert tidy["mean"].iloc[6] == 0.5
    assert tidy["chance"].tolist() == pytest.approx([0.2] + [0.5] * 7)
    assert (tidy["low"] < tidy["mean"]).all()
    assert tidy["paper"].isna().all()
    whole, seen, unseen = tidy["mean"].iloc[5:8]
    assert whole == pytest.approx(0.8 * seen + 0.2 * unseen)


def test_a_cell_without_a_finished_trial_is_named_and_empty(make, tmp_path):
    broken = {
        "missing": dict.fromkeys(range(4), "missing"),
        "failed": dict.fromkeys(range(4), "failed"),
        "mixed": {0: "failed", 1: "started", 2: "missing", 3: "missing"},
    }
    cells = [
        make.cell("label", "balanced", make.right("label", 0.9), model, broken=b)
        for model, b in broken.items()
    ]
    run = make.run(tmp_path, {"s": cells})
    tidy = tidy_of(run)["s"]
    assert tidy["n"].tolist() == [0, 0, 0]
    assert tidy[["mean", "low", "high", "chance"]].isna().all(axis=None)
    frame = wide_of(run)[0].frame.set_index("model")
    assert frame["balanced"].tolist() == [
        "missing (0 of 4 seeds)",
        "failed (4 of 4 seeds)",
        "failed (1 of 4 seeds), started (1 of 4 seeds)",
        "–",
    ]
    write_tables(
        make_tables(load_records(run.folder.path)), load_records(run.folder.path), Folder(tmp_path / "t")
    )
    lines = (tmp_path / "t" / "s.csv").read_text().splitlines()
    assert lines[1] == "s,label,balanced,rgb,rgb,missing,all,0,,,,,,none,base"


def test_papers_numbers_stand_only_where_the_paper_printed_them(make, tmp_path):
    def cells(model):
        return [make.cell("label", s, make.right("label", 0.9), model) for s in ("balanced", "disjoint")]

    run = make.run(tmp_path / "a", {"table2": cells("resnet34") + cells("resnet18")}, paper="Table II")
    tidy = tidy_of(run)["table2"].set_index(["model", "setting", "cameras"])["paper"].dropna()
    assert tidy.to_dict() == {("resnet34", "balanced", "all"): 0.974, ("resnet34", "disjoint", "all"): 0.505}
    wide = wide_of(run)[0].frame.set_index("model")
    assert list(wide.columns) == ["balanced", "balanced (paper)", "disjoint", "disjoint (paper)"]
    assert wide.loc["resnet34", "disjoint (paper)"] == "0.505"
    assert wide.loc["resnet18", "disjoint (paper)"] == "–"

    own = make.run(tmp_path / "b", {"own": cells("resnet34")})
    assert tidy_of(own)["own"]["paper"].isna().all()


def test_papers_views(make, tmp_path):
    cells = [
        make.cell("camera", "balanced", make.right("camera", 0.9), "vgg16", view="left", test_view="right"),
        make.cell("camera", "balanced", make.right("camera", 0.9), "vgg16"),
    ]
    run = make.run(tmp_path / "a", {"table6": cells}, paper="Table VI")
    assert tidy_of(run)["table6"]["paper"].tolist() == pytest.approx([0.851, np.nan], nan_ok=True)
    masked = make.cell(
        "camera", "balanced", make.right("camera", 0.3), "vgg16", view={"name": "binary", "window": 15}
    )
    run = make.run(tmp_path / "b", {"table3": [masked]}, paper="Table III")
    tidy = tidy_of(run)["table3"]
    assert tidy["train_view"].tolist() == ["binary-window15"]
    assert tidy["paper"].tolist() == [0.384]


def test_wide_table_has_models_by_settings_and_unseen_cameras_apart(make, tmp_path):
    cells = [
        make.cell(
            "label", setting, make.right("label", 0.9), model, broken={3: "failed"} if model == "b" else {}
        )
        for model in ("a", "b")
        for setting in ("balanced", "partial")
    ]
    whole, apart = wide_of(make.run(tmp_path, {"s": cells}))
    assert list(whole.frame.columns) == ["model", "balanced", "partial"]
    assert whole.frame["model"].tolist() == ["a", "b", "chance"]
    assert whole.frame["balanced"].iloc[0].startswith("0.900 [0.")
    assert whole.frame["balanced"].iloc[1].endswith("] (3 of 4 seeds)")
    assert whole.frame["balanced"].iloc[2] == "0.500"
    assert list(apart.frame.columns) == ["model", "partial, seen", "partial, unseen"]


def test_one_model_has_its_settings_as_rows(demo_run):
    (table,) = wide_of(demo_run)
    assert list(table.frame.columns) == [
        "target", "setting", "accuracy", "chance", "n", "seen cameras", "unseen cameras",
    ]  # fmt: skip
    assert table.frame["setting"].tolist() == ["balanced", "balanced", "partial", "disjoint"]
    assert table.frame["n"].tolist() == ["4", "4", "3 of 4", "2 of 4"]
    assert table.frame["seen cameras"].iloc[0] == "–"
    assert table.frame["seen cameras"].iloc[3].startswith("0.500 [0.416")


def test_few_groups_have_a_mean_and_no_interval(make, tmp_path):
    run = make.run(
        tmp_path, {"s": [make.cell("label", "balanced", make.right("label", 0.9))]}, bottles_per_label=4
    )
    (table,) = make_tables(load_records(run.folder.path))
    assert table.tidy[["low", "high"]].isna().all(axis=None)
    assert table.wide[0].frame["accuracy"].tolist() == ["0.900"]
    assert any("fewer than 10" in note for note in table.notes)


def test_model_that_the_paper_lacks_stands_beside_the_range_of_its_five(make, tmp_path):
    cells = [make.cell("label", "balanced", make.right("label", 0.9))]
    run = make.run(tmp_path / "run", {"table2": cells}, paper="Table II")
    (table,) = make_tables(load_records(run.folder))
    (wide,) = table.wide
    assert wide.frame["paper"].tolist() == ["0.929–0.979"]
    assert "The paper has no test_resnet; its column gives the range of its five models." in table.notes
    assert table.tidy["paper"].isna().all()


def test_sizes_of_one_model_are_told_apart(make, tmp_path):
    cells = [make.cell("label", "balanced", make.right("label", 0.9), size=size) for size in (64, 128)]
    assert tidy_of(make.run(tmp_path, {"s": cells}))["s"]["model"].tolist() == [
        "test_resnet at 64",
        "test_resnet at 128",
    ]


def test_a_copied_run_gives_the_same_files(demo_run, tmp_path):
    shutil.copytree(demo_run.folder.path, tmp_path / "copy")
    written = []
    for run, out in ((demo_run.folder.path, "a"), (str(tmp_path / "copy"), "b")):
        records = load_records(run)
        write_tables(make_tables(records), records, Folder(tmp_path / out))
        written.append({path.name: path.read_bytes() for path in (tmp_path / out).iterdir()})
    assert written[0] == written[1]
    assert sorted(written[0]) == ["demo.csv", "demo.md", "demo.tex", "trials.csv"]
    trials = pd.read_csv(tmp_path / "a" / "trials.csv")
    assert len(trials) == 16
    assert trials["id"].is_unique


def test_skipped_settings_are_noted(demo_run):
    (table,) = make_tables(load_records(demo_run.folder.path))
    assert "natural (label) was skipped: as balanced here" in table.notes


def test_markdown_and_latex_hold_what_names_hold(make, tmp_path):
    cells = [
        make.cell("label", "balanced", make.right("label", 0.9), model)
        for model in ("a|b_c", "50%&more", "\x1b[31m")
    ]
    records = load_records(make.run(tmp_path, {"s": cells}).folder.path)
    write_tables(make_tables(records), records, Folder(tmp_path / "t"))
    markdown = (tmp_path / "t" / "s.md").read_text()
    assert "| a\\|b_c | 0.900 [" in markdown
    assert {line.replace("\\|", "").count("|") for line in markdown.splitlines() if line.startswith("|")} == {
        3
    }
    latex = (tmp_path / "t" / "s.tex").read_text()
    assert r"a\textbar{}b\_c & 0.900 {[}" in latex
    assert r"50\%\&more" in latex
    assert "\x1b" not in markdown + latex + (tmp_path / "t" / "s.csv").read_text()
    assert r"| \x1b[31m |" in markdown
    assert r"\textbackslash{}x1b{[}31m" in latex


@pytest.mark.parametrize("name", ["=1+1", "+x", "-x", "@SUM(A1)", "-2+3", "\x1b=1", "＝1"])
def test_no_name_is_a_formula_in_a_spreadsheet(tmp_path, name):
    frame = pd.DataFrame(
        {"camera": [name, "a=1"], "mean": [-0.1, 2], "shown": ["-0.100 [-0.200, 0.010]", "-1"]}
    )
    write_frames({"audit": frame.rename(columns={"shown": name})}, Folder(tmp_path))
    read = pd.read_csv(tmp_path / "audit.csv", dtype=str)
    cells = [*read.columns, *read["camera"]]
    assert not [cell for cell in cells if cell[0] in "=+-@＝\x1b"]
    assert read["camera"][0].endswith(name.replace("\x1b", r"\x1b"))
    assert read["mean"].tolist() == ["-0.1", "2"]
    assert read.iloc[:, 2].tolist() == ["-0.100 [-0.200, 0.010]", "-1"]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_compiles_with_booktabs(make, tmp_path):
    cells = [
        make.cell("camera", "balanced", make.right("camera", 0.9), model, view="left", test_view="right")
        for model in ("a_b~^\\{}", "50%&<more>#$")
    ] + make.demo("c")
    records = load_records(make.run(tmp_path, {"s": cells}).folder.path)
    write_tables(make_tables(records), records, Folder(tmp_path / "t"))
    document = r"\documentclass{article}\usepackage{booktabs}\begin{document}\input{s.tex}\end{document}"
    (tmp_path / "t" / "all.tex").write_text(document)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    ended = subprocess.run(command, cwd=tmp_path / "t", capture_output=True, text=True, errors="replace")
    assert ended.returncode == 0, ended.stdout[-2000:]


def test_columns_stand_in_the_order_of_the_study(make, tmp_path):
    asked = {"a": ["partial"], "b": ["disjoint", "balanced", "partial"]}
    cells = [
        make.cell("label", s, make.right("label", 0.9), m) for m, settings in asked.items() for s in settings
    ]
    frame = wide_of(make.run(tmp_path, {"s": cells}))[0].frame
    assert list(frame.columns) == ["model", "partial", "disjoint", "balanced"]
    assert frame["disjoint"].iloc[0] == "–"  # not asked for


def test_what_the_paper_leaves_open_has_a_row_for_each_reading(make, tmp_path):
    def crops(model):
        return make.cell("camera", "balanced", make.right("camera", 0.4), model, view="crop32", test_draws=10)

    run = make.run(tmp_path, {"table5": [crops("resnet34"), crops("vgg16")]}, paper="Table V", seeds=[0])
    (table,) = make_tables(load_records(run.folder.path))
    assert table.tidy["test_view"].tolist() == ["crop32", "crop32 (mean of 10)"] * 2
    assert table.tidy["paper"].tolist() == [0.665, 0.665, 0.872, 0.872]
    assert table.tidy["n"].tolist() == [1] * 4
    trial = table.study.cells[0].trials[0]
    drawn = run.record(trial).predictions()
    right = drawn["prediction"] == drawn["camera"]
    assert table.tidy["mean"].iloc[:2].tolist() == pytest.approx(
        [right[drawn["draw"] == 0].mean(), right.mean()]
    )
    columns = ["model", "crop32", "crop32 (paper)", "crop32 (mean of 10)", "crop32 (mean of 10) (paper)"]
    assert list(table.wide[0].frame.columns) == columns
    assert any("does not say which" in note for note in table.notes)


def test_training_images_have_a_row_and_one_that_is_missing_is_named(make, paper_run, tmp_path):
    tidy = tidy_of(paper_run)["paper"].set_index(["train_view", "test_view"])["mean"]
    assert tidy["left", "right"] == pytest.approx(0.95)
    assert tidy["left", "right (training images)"] == pytest.approx(0.98)

    cell = make.cell("camera", "balanced", make.right("camera", 0.9), view="left", test_view="right")
    run = make.run(tmp_path, {"table6": [cell]}, paper="Table VI")
    folder = run.folder.child("studies")
    text = folder.read_bytes("table6.yaml").replace(b"probes: []", b"probes: [training_images]")
    folder.write_bytes("table6.yaml", text)
    (table,) = make_tables(load_records(run.folder.path))
    assert table.tidy["n"].tolist() == [4, 0]
    assert table.wide[0].frame["accuracy"].iloc[1] == "not probed"
    assert any("does not say which" in note for note in table.notes)
