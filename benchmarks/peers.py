"""Error rates of other tools beside ours, on designs of known truth that are dealt from the bank.

physiotrace audits the linear heads of an embedding, mlconfound tests predictions: both for two cameras, so those are
dealt. `pip install physiotrace mlconfound`, then `python -m benchmarks peers BANK [WORLDS]`, where BANK is what
`camerabias calibrate --of designs` keeps its worlds in.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from importlib.metadata import version

import mlconfound.stats
import numpy as np
import pandas as pd
import physiotrace
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from camerabias.analysis.calibration.designs import DealtDesign, share_by_world
from camerabias.analysis.report.tables import show_markdown
from camerabias.analysis.statistics.permutation import LEVEL
from camerabias.datasets.io.storage import Folder
from camerabias.sweeps.calibration.bank import World, read_world, worlds
from camerabias.sweeps.calibration.designs import SEEDS, deal, fit_heads, judge_design, tested_logits

warnings.simplefilter("ignore")  # physiotrace warns of small samples; its verdict stands

CORRELATION = 0.6
"""Of label and camera: a fifth of the photos are bias-conflicting."""


COMPONENTS = 64
"""Principal components of the features that physiotrace is given."""


def main(arguments: list[str]) -> None:
    """Print a table of both error rates by tool."""
    bank, most = Folder(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 60
    there = [world for world in worlds() if bank.exists(world.file)][:most]
    print(show_markdown(summarise([compare(bank, world) for world in there])))


def compare(bank: Folder, world: World) -> dict[str, object]:
    """What each tool says of a design of a world, and whether the camera is used."""
    photos, features = read_world(bank, world)
    design = DealtDesign(world=world.number, seed=10, cameras=2, correlation=CORRELATION, groups="single")
    line = judge_design(world, photos, features, design)
    found = {"camerabias": line.verdict == "cheating", **_peers(deal(photos, design), features)}
    used = None if line.truth is None else bool(world.planted) and (line.truth_p or 0) <= LEVEL
    row = {"world": world.number, "used": used, **found}
    print(row, file=sys.stderr, flush=True)
    return row


def _peers(dealt: pd.DataFrame, features: np.ndarray) -> dict[str, bool]:  # type: ignore[type-arg]
    """Whether each finds that the camera is used."""
    label, camera = dealt["label"].to_numpy(), dealt["camera"].to_numpy()
    audited = physiotrace.audit_observational_crossfit(
        _components(features[dealt.index]), label, camera, folds=(dealt["fold"] % SEEDS).to_numpy(),
        clusters=dealt["group"].to_numpy(),
    )  # fmt: skip
    logits = tested_logits(dealt, features, fit_heads(dealt, features, "label"))
    return {
        f"physiotrace {version('physiotrace')}": audited.verdict is not physiotrace.Verdict.NO_RELIANCE,
        f"mlconfound {version('mlconfound')}, predictions": _confounded(label, logits.argmax(axis=1), camera),
        f"mlconfound {version('mlconfound')}, scores": _confounded(
            label, logits[:, 1] - logits[:, 0], camera
        ),
    }


def _components(features: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """Physiotrace needs fewer dimensions than photos."""
    model = make_pipeline(StandardScaler(), PCA(COMPONENTS, random_state=0))
    return np.asarray(model.fit_transform(features.astype(float)))


def _confounded(label: np.ndarray, given: np.ndarray, camera: np.ndarray) -> bool:  # type: ignore[type-arg]
    tested = mlconfound.stats.partial_confound_test(
        pd.factorize(label)[0], given, pd.factorize(camera)[0],
        cat_y=True, cat_yhat=given.dtype.kind == "i", cat_c=True, progress=False, random_state=0, n_jobs=1,
    )  # fmt: skip
    return bool(tested.p <= LEVEL)


def summarise(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    """Both error rates by tool."""
    known = pd.DataFrame(rows).dropna(subset=["used"])
    tools = [name for name in known.columns if name not in ("world", "used")]
    used = known["used"].astype(bool)
    return pd.DataFrame(
        [
            {
                "tool": tool,
                "found, the camera is not used": share_by_world(known[~used].rename(columns={tool: "found"})),
                "not found, the camera is used": share_by_world(
                    known[used].assign(found=~known.loc[used, tool].astype(bool))
                ),
            }
            for tool in tools
        ]
    )
