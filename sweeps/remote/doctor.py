"""What a machine, a run's storage and a cluster are fit for: found out before a long sweep finds it out."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Literal

from packaging.requirements import Requirement

from camerabias.datasets.io.ray_connection import TOKEN_FILE, connect_ray, has_room_for_token, token_file
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.views.cache import cache_folder
from camerabias.sweeps.runs.lease import LeaseState
from camerabias.trainables.records.run import Run
from camerabias.trainables.worker.node import describe_node

ROOM_GIB = 5.0
"""Free space below which the cache is worth a warning: the decoded photos of the paper's design take 9 GiB a view."""


@dataclass(frozen=True)
class Diagnosis:
    """One point that was checked."""

    level: Literal["ok", "warning", "problem"]
    text: str


def examine(run: str | None, address: str | None) -> Iterator[Diagnosis]:
    """Look at this machine, at the storage of a run and at a cluster.

    Args:
        run: The run, whether it exists or not; None checks none.
        address: The Ray cluster, as for `sweep run`; None starts a Ray of this machine's own.
    """
    lacking = list(_checked(_requirements))
    yield from lacking
    if any(finding.level == "problem" for finding in lacking):
        return  # nothing else can be looked at
    for look in (_machine, _cache, _token):
        yield from _checked(look)
    if run is not None:
        yield from _checked(lambda: _run(Run(run)))
    yield from _checked(lambda: _ray(address))


def _checked(look: Callable[[], Iterator[Diagnosis]]) -> Iterator[Diagnosis]:
    try:
        yield from look()
    except CamerabiasError as error:
        yield Diagnosis("problem", str(error))
    except Exception as error:  # noqa: BLE001 - what cannot be looked at is a finding, too
        yield Diagnosis("problem", f"{type(error).__name__}: {error}")


def _machine() -> Iterator[Diagnosis]:
    node = describe_node()
    gpus = ", ".join(node.gpus) or "no GPU"
    yield Diagnosis("ok", f"{node.host}: {node.cpus} CPUs, {node.memory_gib} GiB of memory, {gpus}")
    yield from _gpu(node.gpus)


def _requirements() -> Iterator[Diagnosis]:
    wanted = [Requirement(line) for line in requires("camerabias") or []]
    wanted = [one for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})]
    lacking = [text for text in map(_lacking, wanted) if text]
    if lacking:
        yield Diagnosis("problem", f"Install what is in requirements.lock: {'; '.join(lacking)}")
    else:
        yield Diagnosis("ok", f"camerabias {version('camerabias')}, and all {len(wanted)} packages it needs")


def _lacking(wanted: Requirement) -> str:
    try:
        found = version(wanted.name)
    except PackageNotFoundError:
        return f"{wanted.name} is missing"
    return (
        ""
        if wanted.specifier.contains(found, prereleases=True)
        else f"{wanted.name} is {found}, not {wanted.specifier}"
    )


def _gpu(gpus: tuple[str, ...]) -> Iterator[Diagnosis]:
    import torch  # late: it takes seconds

    if torch.cuda.is_available():
        yield Diagnosis("ok", f"torch {torch.__version__} uses {torch.cuda.device_count()} GPUs")
    elif gpus:
        yield Diagnosis(
            "problem",
            f"The driver shows {len(gpus)} GPUs, but torch {torch.__version__} (CUDA {torch.version.cuda}) uses "
            "none: install a torch for this driver, or a newer driver",
        )
    else:
        yield Diagnosis("ok", f"torch {torch.__version__} on CPUs")


def _cache() -> Iterator[Diagnosis]:
    folder = cache_folder()
    try:
        Folder(folder).check_access()
    except CamerabiasError as error:
        yield Diagnosis(
            "problem", f"The cache of decoded images: {error} Or set CAMERABIAS_CACHE to another folder."
        )
        return
    free = shutil.disk_usage(folder).free / 2**30
    level: Literal["ok", "warning"] = "ok" if free >= ROOM_GIB else "warning"
    yield Diagnosis(
        level, f"Cache of decoded images: {folder}, {free:.0f} GiB free (CAMERABIAS_CACHE moves it)"
    )


def _token() -> Iterator[Diagnosis]:
    token = token_file()
    if token is None or not os.path.exists(token):
        yield Diagnosis("ok", f"No token of Ray's yet ({TOKEN_FILE}); clusters of other machines need one")
        if not has_room_for_token():
            yield Diagnosis(
                "warning",
                "HOME cannot be written: work on this machine keeps what it needs among the temporary files, but a "
                "cluster's token has no place. Set HOME=/tmp, or RAY_AUTH_TOKEN_PATH",
            )
        return
    mode = stat.S_IMODE(token.stat().st_mode)
    if mode & 0o077:
        yield Diagnosis("problem", f"Others can read Ray's token (mode {mode:o}): chmod 600 {token}")
    else:
        yield Diagnosis("ok", f"Ray's token {TOKEN_FILE} is for you alone")


def _run(run: Run) -> Iterator[Diagnosis]:
    run.folder.check_access()
    yield Diagnosis("ok", f"{run.folder} can be written, listed and read")
    state = LeaseState.of(run)
    if state is not None:
        gone = " (which has ended)" if state.ended() else ""
        yield Diagnosis(
            "warning" if gone else "ok", f"Its driver is {state.driver}, since {state.since}{gone}"
        )


def _ray(address: str | None) -> Iterator[Diagnosis]:
    joined = connect_ray(address)
    import ray

    resources = ray.cluster_resources()  # type: ignore[no-untyped-call]
    nodes = [node["NodeManagerHostname"] for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
    what = f"Ray {ray.__version__}, {'the cluster' if joined else 'started here'}: {', '.join(nodes)}"
    counts = ", ".join(f"{resources.get(name, 0):.0f} {name}s" for name in ("CPU", "GPU"))
    yield Diagnosis("ok", f"{what}; {counts}")
