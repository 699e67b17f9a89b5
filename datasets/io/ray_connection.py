"""The Ray that this process works with: a cluster's, or one that starts here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from camerabias.datasets.schema import CamerabiasError


def cluster_address(address: str | None) -> str | None:
    """The cluster that is asked for, or else the one that this process is a job of."""
    return address or os.environ.get("RAY_ADDRESS")


def connect_ray(address: str | None = None) -> bool:
    """Join the Ray at `address`, or the one that this process is a job of, or start one, unless connected already.

    A Ray that is started serves this process alone: no dashboard, bound to the loopback address.

    Returns:
        Whether it is a cluster that others have started.

    Raises:
        CamerabiasError: It cannot be joined.
    """
    address = cluster_address(address)
    if address is not None:
        use_token()
    import ray

    if ray.is_initialized():
        return address is not None
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address is None:
        # what Ray would warn about on every start: no metrics agent without a dashboard, overriding of GPUs
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        # "local": on a host of a cluster Ray would otherwise join that one, and never get anywhere from this address
        ray.init(address="local", include_dashboard=False, _node_ip_address="127.0.0.1", **quiet)
        _guard_token()
        return False
    try:
        ray.init(address=address, **quiet)
    except (ConnectionError, RuntimeError, ValueError, ray.exceptions.AuthenticationError) as error:
        reason = " ".join(str(error).split())
        raise CamerabiasError(
            f"Cannot join the Ray cluster at {address!r} ({reason}). From another machine use "
            "`camerabias submit`; on the head node give --address auto."
        ) from error
    return True


TOKEN_FILE = Path("~/.ray/auth_token")
"""Where Ray looks for the token of its clusters unless `RAY_AUTH_TOKEN` or `RAY_AUTH_TOKEN_PATH` are set."""


def use_token() -> None:
    """Show clusters the token, if there is one; to be called before Ray is imported, which decides it then."""
    named = {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & os.environ.keys()
    if named or TOKEN_FILE.expanduser().exists():
        os.environ.setdefault("RAY_AUTH_MODE", "token")


def _guard_token() -> None:
    """Let nobody else read the token, which Ray makes for every user of the machine to read."""
    token = TOKEN_FILE.expanduser()
    if token.exists() and token.stat().st_uid == os.getuid() and token.stat().st_mode & 0o077:
        token.chmod(0o600)
