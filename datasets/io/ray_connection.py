"""The Ray that this process works with: a cluster's, or one that starts here."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from camerabias.datasets.io.ray_address import cluster_address, why_unreachable
from camerabias.datasets.io.storage import make_writable
from camerabias.datasets.schema import CamerabiasError

TASK_KILLS = 3
"""How often a work item is started again that was killed because memory was full; Ray would try for ever."""


def connect_ray(address: str | None = None) -> bool:
    """Join the Ray at `address`, or the one that this process is a job of, or start one, unless connected already.

    A Ray that is started serves this process alone: no dashboard, bound to the loopback address.

    Returns:
        Whether it is a cluster that others have started.

    Raises:
        CamerabiasError: It cannot be joined, or none can be started here.
    """
    named, address = address, cluster_address(address)
    if address is not None:
        use_token()
    os.environ.setdefault("RAY_task_oom_retries", str(TASK_KILLS))
    import ray

    if ray.is_initialized():
        return address is not None
    if address is None:
        _start()
    else:
        _join(address, "--address" if named else "RAY_ADDRESS")
    return address is not None


_QUIET: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}


def _start() -> None:
    import ray

    # what Ray would warn about on every start: no metrics agent without a dashboard, overriding of GPUs
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    for name in ("TMPDIR", "RAY_TMPDIR"):
        if os.environ.get(name) == "":  # Ray would take it for a folder
            del os.environ[name]
    if not has_room_for_token():
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))  # Ray would fail to write one
    _hush()
    try:
        # "local": on a host of a cluster Ray would otherwise join that one, and never get anywhere from this address
        ray.init(address="local", include_dashboard=False, _node_ip_address="127.0.0.1", **_QUIET)
    except Exception as error:  # whatever the machine lacks, work goes on without Ray
        raise CamerabiasError(
            f"Ray cannot start on this machine ({_reason(error)}). Work without it: --executor local. Or, where a "
            "folder is the cause, set HOME=/tmp TMPDIR=/tmp: Ray writes into both, and its sockets need a short path."
        ) from error
    _guard_token()


def _hush() -> None:
    """Keep Ray from printing 40 lines whenever it kills a worker; what comes of it is said once, by whoever waits."""
    import ray._private.worker as printing

    printing.print_to_stdstream = lambda *_, **__: None  # log_to_driver does not concern it


def _join(address: str, named_by: str) -> None:
    import ray

    reason, cause = why_unreachable(address), None
    if not reason:
        try:
            ray.init(address=address, **_QUIET)
            return
        except (ConnectionError, RuntimeError, ValueError, ray.exceptions.AuthenticationError) as error:
            reason, cause = _reason(error), error
    alone = "unset RAY_ADDRESS" if named_by == "RAY_ADDRESS" else "drop --address"
    raise CamerabiasError(
        f"Cannot join the Ray cluster at {address!r}, which {named_by} names ({reason}). To work on this machine "
        f"alone {alone}; from another machine than the cluster's use `camerabias submit`; on the head node give "
        "--address auto."
    ) from cause


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


TOKEN_FILE = Path("~/.ray/auth_token")
"""Where Ray looks for the token of its clusters unless `RAY_AUTH_TOKEN` or `RAY_AUTH_TOKEN_PATH` are set."""


def token_file() -> Path | None:
    """`TOKEN_FILE` of this user; None where nobody says which folder is home."""
    path = os.path.expanduser(TOKEN_FILE)
    return Path(path) if os.path.isabs(path) else None


def use_token() -> None:
    """Show clusters the token, if there is one; to be called before Ray is imported, which decides it then."""
    named = {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & os.environ.keys()
    token = token_file()
    if named or (token is not None and os.path.exists(token)):
        os.environ.setdefault("RAY_AUTH_MODE", "token")


def has_room_for_token() -> bool:
    """Whether Ray, which makes a token on its first start, finds one or can make it."""
    token = token_file()
    return token is not None and (os.access(token, os.R_OK) or make_writable(token.parent))


def _guard_token() -> None:
    """Let nobody else read the token, which Ray makes for every user of the machine to read."""
    token = token_file()
    if token is None or not os.path.exists(token):
        return
    found = token.stat()
    if found.st_uid == os.getuid() and found.st_mode & 0o077:
        token.chmod(0o600)
