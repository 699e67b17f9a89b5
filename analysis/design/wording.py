"""What the photos can answer, in sentences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import isnan

from camerabias.analysis.design.check import FEATURES
from camerabias.analysis.design.copies import describe_copies
from camerabias.analysis.design.design import RESIZE_RATIO, Answerable, Cell, Design, Effect, Resize
from camerabias.analysis.design.metadata_baselines import MetadataBaseline
from camerabias.analysis.design.names import MAX_NAMED, count_of, name_some
from camerabias.analysis.design.power import to_compare
from camerabias.analysis.statistics.association import Association
from camerabias.analysis.statistics.number_format import (
    show_estimate,
    show_number,
    show_p,
    show_points,
    show_share,
    show_with_points,
)
from camerabias.analysis.statistics.permutation import LEVEL
from camerabias.datasets.schema import N_FOLDS, quoted


def describe_design(design: Design) -> list[str]:
    """The sentences of a design check, the most important first."""
    return list(_sentences(design))


def _sentences(design: Design) -> Iterator[str]:
    yield from describe_copies(design.copies)
    for answer in design.answers.values():
        if not answer.answerable:
            yield f"{answer.question} These photos cannot tell. {answer.why} {answer.photos}".strip()
    yield from describe_metadata(design.baselines)
    yield from _notable(design)
    for answer in design.answers.values():
        if answer.answerable:
            yield f"{answer.question} {answer.why}"
    yield from describe_effects(design.effects)


def describe_photos(design: Design) -> list[str]:
    """What stands out in the photos, besides what can be answered and what metadata predict."""
    return [*describe_copies(design.copies), *_notable(design)]


def _notable(design: Design) -> Iterator[str]:
    yield from _associated(design.association)
    yield from _folds(design)
    yield from _one_sided(design)
    yield from _shared(design)
    yield from _holes(design)
    yield from _scaling(design.resizes)


def photos_to_take(design: Answerable) -> list[str]:
    """Which photos would settle what cannot be answered, the questions that ask for the same ones together."""
    asking: defaultdict[str, list[str]] = defaultdict(list)
    for answer in design.answers.values():
        if answer.photos:
            asking[answer.photos].append(answer.question)
    return [f"{' '.join(questions)} {photos}" for photos, questions in asking.items()]


def _folds(design: Design) -> Iterator[str]:
    """Folds as dealt, where whole groups make them uneven."""
    empty, largest = design.folds.count(0), max(design.folds, default=0)
    if 2 * largest > design.n_photos:
        yield (
            f"The largest of the {N_FOLDS} folds holds {largest} of {design.n_photos} photos, since groups are kept "
            "whole: a trial that tests it trains on few photos, and all others test few."
        )
    if empty:
        yield f"{empty} of the {N_FOLDS} folds hold no photo: a trial that tests or validates on one of them fails."


def _one_sided(design: Design) -> Iterator[str]:
    """Labels from one camera, and cameras with one label, unless there is only one of either anyway."""
    photos = design.photos
    if min(photos.shape) < 2:
        return
    lonely = [str(label) for label in photos.index[(photos > 0).sum(axis=1) == 1]]
    if len(lonely) > MAX_NAMED or len(lonely) == len(photos):
        cells = name_some(
            [f"{quoted(label)} from {quoted(str(photos.loc[label].idxmax()))}" for label in lonely]
        )
        yield f"{len(lonely)} of {len(photos)} labels come from one camera alone: {cells}."
    else:
        yield from (_one_camera(design, label) for label in lonely)
    single = [str(camera) for camera in photos.columns[(photos > 0).sum(axis=0) == 1]]
    if single:
        cells = name_some(
            [
                f"{quoted(camera)} ({photos[camera].max()} of {quoted(photos[camera].idxmax())})"
                for camera in single
            ]
        )
        yield f"{count_of(len(single), 'camera has', 'cameras have')} photos of one label alone: {cells}."


def _one_camera(design: Design, label: str) -> str:
    photos = design.photos.loc[label]
    camera = str(photos.idxmax())
    other = str(design.groups.drop(columns=camera).sum().idxmax())
    needed = to_compare(design.groups, label, camera, other)
    cells = " and ".join(f"{n} {design.noun} of it with {quoted(name)}" for (_, name), n in needed.items())
    return (
        f"All {photos[camera]} photos of {quoted(label)} come from one camera, {quoted(camera)}: whether a model "
        f"recognises the label or the camera cannot be tested. Add {cells}, for instance"
        f"{', or drop that label' if photos[camera] < N_FOLDS else ''}."
    )


def describe_metadata(baselines: Sequence[MetadataBaseline]) -> Iterator[str]:
    """What files tell of labels and cameras without a pixel; nothing where they do not."""
    tables = next(one for one in baselines if (one.target, one.feature) == ("camera", "tables"))
    if tables.works:
        yield (
            f"JPEG quantisation tables alone predict the camera: accuracy {show_estimate(tables.accuracy)}, majority "
            f"baseline {show_share(tables.majority_baseline)}. Pixels keep the traces of their compression."
        )
    found = [one for one in baselines if one.target == "label" and one.works]
    if found:
        named = ", ".join(f"{show_estimate(one.accuracy)} from {FEATURES[one.feature]}" for one in found)
        yield (
            f"Metadata alone predict the label, without a pixel: accuracy {named}; majority baseline "
            f"{show_share(found[0].majority_baseline)}."
        )


def _shared(design: Design) -> Iterator[str]:
    if design.crossing_groups:
        yield (
            f"{count_of(design.crossing_groups, 'group lies', 'groups lie')} on more than one side of your split, "
            f"with {design.crossing_photos} of the test photos: test accuracy may be too high. Drop the split to use "
            "folds, which keep groups together."
        )
    twins = design.duplicates
    if twins.n_pairs:
        first = twins.pairs[0]
        parts = [
            count_of(twins.n_pictures, "picture", "pictures")
            + (f" up to {twins.most} times" if twins.n_pictures > 1 else f" {twins.most} times"),
            count_of(twins.n_pairs, "pair", "pairs"),
            *[f"{twins.n_crossing} of them on both sides of a test"] * (twins.n_crossing > 0),
            *[f"{twins.n_labels} with two labels"] * (twins.n_labels > 0),
        ]
        advice = "Photos of one object belong to one group."
        if twins.n_labels:
            advice = (
                "Where labels differ, one is wrong, or the picture is a placeholder: relabel or drop such photos. Of "
                "others, photos of one object belong to one group."
            )
        yield (
            f"{twins.n_photos} photos are near-duplicates of one in another group: {', '.join(parts)} (first: "
            f"{first.first} and {first.second}). {advice}"
        )
    if twins.n_compared < design.n_photos:
        yield f"Near-duplicates were looked for among {twins.n_compared} of the {design.n_photos} photos."


def _associated(association: Association) -> Iterator[str]:
    if isnan(association.p):
        return
    how = "are associated" if association.p <= LEVEL else "show no significant association"
    bits = f"mutual information {show_number(association.information.mean)} of {show_number(association.entropy)} bit"
    v = show_estimate(association.cramers_v)
    yield f"Label and camera {how}: Cramér's V {v}, from 0 to 1 ({show_p(association.p)}), {bits}."


def _holes(design: Design) -> Iterator[str]:
    if design.empty_cells:
        yield f"{count_of(len(design.empty_cells), 'cell is', 'cells are')} empty: {_cells(design.empty_cells)}."
    if design.thin_cells:
        where = (
            "in some fold, which then tests none" if design.folds else "among the test photos of your split"
        )
        yield (
            f"{count_of(len(design.thin_cells), 'cell has', 'cells have')} no {design.noun} {where}: "
            f"{_cells(design.thin_cells)}."
        )


def _scaling(resizes: Sequence[Resize]) -> Iterator[str]:
    least, most = (extreme(resizes, key=lambda resize: resize.median) for extreme in (min, max))
    if most.median > RESIZE_RATIO * least.median:
        yield (
            "Photos are scaled to one size by factors that depend on the camera: in the median "
            f"{show_number(most.median)} for {quoted(most.camera)}, {show_number(least.median)} for "
            f"{quoted(least.camera)}. Scaling leaves traces in the pixels; `--fit crop` of `camerabias data "
            "import` scales only what is too small."
        )


def describe_effects(effects: Sequence[Effect]) -> list[str]:
    """Which effects the photos could show, in a sentence or two; none where no effect would be detected."""
    *fewer, most = effects
    if isnan(most.risk_difference):
        return []
    seen = [
        f"{show_points(effect.risk_difference)} with {effect.tested}"
        for effect in fewer
        if not isnan(effect.risk_difference)
    ]
    beside = f" With fewer it takes more points: {', '.join(seen)}." if seen else ""
    return [
        f"By their numbers alone, {most.tested} would show a shortcut effect of "
        f"{show_with_points(most.risk_difference)} or more (power 0.8); a verdict gives the number that "
        f"counts.{beside}"
    ]


def _cells(cells: Sequence[Cell]) -> str:
    return name_some([f"{quoted(label)} by {quoted(camera)}" for label, camera in cells])
