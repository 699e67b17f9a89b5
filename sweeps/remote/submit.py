"""Handing a command to a cluster from another machine; this code travels with it, and the files that it names."""

from __future__ import annotations

import http.client
import shlex
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Any

from camerabias.datasets.io.ray_connection import TOKEN_FILE, use_token
from camerabias.datasets.schema import CamerabiasError

PACKAGES = ("datasets", "trainables", "sweeps", "analysis")

_PLACES = {"run", "data", "dataset", "out", "source"}
"""Parameters of commands that are folders, which the nodes must see."""


@dataclass(frozen=True)
class Submitted:
    """A command that a cluster runs."""

    job: str
    follow_up: list[tuple[str, str]]
    """What one may want next, and the command for it."""


def submit_command(
    arguments: Sequence[str], parameters: Mapping[str, Any], address: str, allow_unauthenticated: bool
) -> Submitted:
    """Submit `camerabias ARGUMENTS` as a job of a cluster.

    Args:
        arguments: Of the command, which is run on the head node.
        parameters: The same as the command's own parser reads them, by name.
        address: Of the cluster's dashboard, such as http://127.0.0.1:8265.
        allow_unauthenticated: Whether the cluster may be one that obeys everybody who reaches its ports.

    Raises:
        CamerabiasError: The cluster cannot be reached or asks for no token; the command names places that the
            cluster cannot see.
    """
    _check_places(parameters)
    _check_cluster(address, allow_unauthenticated)
    use_token()
    with tempfile.TemporaryDirectory(prefix="camerabias-submit-") as folder:
        packed = {
            "working_dir": str(_pack_files(parameters, Path(folder, "files"))),
            "py_modules": [str(_pack_code(Path(folder, "code")))],
        }
        job = _submit(shlex.join(["camerabias", *arguments]), packed, address)
    return Submitted(job, _follow_up(job, parameters.get("run"), address))


def _submit(entrypoint: str, packed: dict[str, Any], address: str) -> str:
    # late: as Ray is imported it looks whether there is a token
    from ray.exceptions import AuthenticationError
    from ray.job_submission import JobSubmissionClient

    try:
        return str(JobSubmissionClient(address).submit_job(entrypoint=entrypoint, runtime_env=packed))
    except AuthenticationError as error:
        raise CamerabiasError(
            f"The cluster at {address} does not take this machine's token ({_brief(error)}). Copy the token that it "
            f"was started with to {TOKEN_FILE}."
        ) from error
    except (RuntimeError, ConnectionError) as error:
        raise CamerabiasError(f"The cluster at {address} refused the job ({_brief(error)}).") from error


def _check_places(parameters: Mapping[str, Any]) -> None:
    for name, place in parameters.items():
        if name in _PLACES and "://" not in place and not PurePosixPath(place).is_absolute():
            raise CamerabiasError(
                f"{name.upper()} {place} is a place on this machine, which the cluster does not see. Give an s3:// "
                "or gs:// address, or the absolute path of a folder that every node mounts."
            )


def _check_cluster(address: str, allow_unauthenticated: bool) -> None:
    """Ask without a token: a cluster that guards itself refuses."""
    if not address.startswith(("http://", "https://")):
        raise CamerabiasError(
            f"The address {address!r} is none of a dashboard; give one such as http://127.0.0.1:8265."
        )
    try:
        # a person's own address, of http alone
        with urllib.request.urlopen(f"{address.rstrip('/')}/api/jobs/", timeout=30):  # noqa: S310
            pass
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            return
        raise CamerabiasError(f"{address} is no dashboard of Ray's: it answers {error}.") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise CamerabiasError(
            f"No cluster answers at {address} ({_brief(error)}). Forward its dashboard to this machine with `ray "
            "dashboard cluster.yaml`, and leave that running."
        ) from error
    if not allow_unauthenticated:
        raise CamerabiasError(
            f"The cluster at {address} asks for no token, so everybody who reaches its ports can run code on it. "
            "Start it with RAY_AUTH_MODE=token (see docs/cluster.md), or force it with --allow-unauthenticated."
        )


def _pack_files(parameters: Mapping[str, Any], folder: Path) -> Path:
    """Copy the files that the command names (studies, recipes, weights) to where the job will find them."""
    folder.mkdir()
    given = [
        each for value in parameters.values() for each in (value if isinstance(value, list) else [value])
    ]
    for name in given:
        if not isinstance(name, str) or not Path(name).is_file():
            continue
        path = Path(name)
        if path.is_absolute() or ".." in path.parts:
            raise CamerabiasError(
                f"{name} would not lie there on the cluster. Call this from its folder, and name it from there."
            )
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / path)
    return folder


def _pack_code(folder: Path) -> Path:
    """Copy this very code, so that a change need not be installed on the nodes; what it depends on must be."""
    root = Path(__file__).parents[2]
    for package in PACKAGES:
        shutil.copytree(
            root / package, folder / "camerabias" / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    # the files of `camerabias` itself: without its `__init__.py` the nodes' installed package would be found first
    for file in Path(str(resources.files("camerabias"))).iterdir():
        if file.is_file():
            shutil.copy(file, folder / "camerabias")
    return folder / "camerabias"


def _follow_up(job: str, run: str | None, address: str) -> list[tuple[str, str]]:
    jobs = [
        ("its output", f"ray job logs --follow --address {address} {job}"),
        ("stop it", f"ray job stop --address {address} {job}"),
    ]
    if run is None:
        return jobs
    return [
        *jobs,
        ("its trials", f"camerabias sweep status {shlex.quote(run)} --watch"),
        ("the report", f"camerabias report {shlex.quote(run)}"),
    ]


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
