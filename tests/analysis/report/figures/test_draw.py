import io

import matplotlib as mpl
from PIL import Image

from camerabias.analysis.records.load import load_records
from camerabias.analysis.report.figures.accuracy_by_camera import disjoint_by_camera
from camerabias.analysis.report.figures.base import FIGURES
from camerabias.analysis.report.figures.draw import draw_figures
from camerabias.analysis.report.figures.learning_curves import learning_curves


def test_a_run_of_the_paper_has_all_nine_figures(paper_run):
    before = dict(mpl.rcParams)
    drawn, missing = draw_figures(load_records(paper_run.folder.path))
    assert [figure.name for figure in drawn] == [f"figure{n}" for n in range(1, 10)]
    assert missing == {}
    for figure in drawn:
        assert figure.pdf.startswith(b"%PDF")
        with Image.open(io.BytesIO(figure.png)) as picture:
            assert min(picture.size) > 300
            assert len(picture.convert("RGB").getcolors(maxcolors=10**6)) > 10
    assert dict(mpl.rcParams) == before


def test_a_figure_is_added_as_contributing_says(contributed, make, tmp_path):
    contributed("analysis/report/figures/seconds.py", FIGURES)
    run = make.run(tmp_path, {"s": [make.cell("label", "balanced", make.right("label", 0.9))]})
    (drawn,), _ = draw_figures(load_records(run.folder.path))
    assert drawn.name == "seconds"
    assert drawn.caption.startswith("How long")


def test_what_cannot_be_drawn_says_why(make, tmp_path):
    run = make.run(tmp_path, {"s": [make.cell("label", "balanced", make.right("label", 0.9))]})
    drawn, missing = draw_figures(load_records(run.folder.path))
    assert drawn == []
    assert "examples/" in missing["figure1"]
    assert "both camera and label" in missing["figure2"]
    assert "disjoint" in missing["figure3"]
    assert "partial" in missing["figure4"]
    assert "attacked" in missing["figure5"]
    assert "views.json" in missing["figure6"]
    assert "views.json" in missing["figure7"]
    assert "crop_map has not run" in missing["figure8"]
    assert "crop_images has not run" in missing["figure9"]


def test_bars_are_the_correct_predictions_by_label(demo_run):
    """Under `disjoint` the cheating model is right on half of the photos, always with the camera's own label."""
    figure, caption = disjoint_by_camera(load_records(demo_run.folder.path))
    axis = figure.axes[0]
    heights = [[round(bar.get_height(), 6) for bar in bars] for bars in axis.containers[:2]]
    assert heights[0][:4] == [0.5, 0.5, 0, 0]
    assert heights[1][:4] == [0, 0, 0.5, 0.5]
    assert [text.get_text() for text in axis.get_xticklabels()][-1] == "Vivo\n(unseen)"
    assert "iPhone, Samsung, Huawei, Redmi" in caption


def test_curves_stand_beside_chance(demo_run):
    figure, _ = learning_curves(load_records(demo_run.folder.path))
    levels = {line.get_ydata()[0] for line in figure.axes[0].lines if len(line.get_ydata()) == 2}
    assert levels == {0.2, 0.5}
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["camera", "label"]
    assert figure.axes[0].get_title() == "test_resnet (seeds: camera 4, label 4)"


def test_names_with_dollar_signs_are_no_formulas(make, tmp_path):
    cell = make.cell("label", "disjoint", make.right("label", 0.9), "$x_{ & <b>$")
    drawn, _ = draw_figures(load_records(make.run(tmp_path, {"s": [cell]}).folder.path))
    assert [figure.name for figure in drawn] == ["figure3"]


def test_a_model_with_one_target_alone_still_has_its_panel(make, tmp_path):
    cells = [
        make.cell("camera", "balanced", make.right("camera", 0.9), "a"),
        make.cell("camera", "balanced", make.right("camera", 0.9), "b", broken={0: "failed"}),
        make.cell("label", "balanced", make.right("label", 0.9), "b"),
    ]
    figure, _ = learning_curves(load_records(make.run(tmp_path, {"s": cells}).folder.path))
    assert [axis.get_title() for axis in figure.axes] == [
        "a (seeds: camera 4)",
        "b (seeds: camera 3, label 4)",
    ]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["camera", "label"]
