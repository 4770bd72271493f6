"""Encryption and authentication of a Dask cluster: whoever reaches an open scheduler can run code as its owner."""

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import dask.config
from distributed.security import Security

from lottery.errors import UserError

WITH_CERTIFICATES = ("SLURMCluster", "PBSCluster", "SGECluster", "LSFCluster", "OARCluster", "MoabCluster",
    "HTCondorCluster", "LocalCluster", "LocalCUDACluster")  # fmt: skip
"""Classes that hand certificates to their workers."""
LOOPBACK = "127.0.0.1:0"
FLAG = "--trust-network"


def security() -> Security:
    """Certificates that Dask's configuration names, or new ones for one run, made in memory."""
    if dask.config.get("distributed.comm.tls.ca-file", None):
        return Security(require_encryption=True)
    credentials: Security = Security.temporary()
    return credentials


def secured(kind: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of a cluster's class: encrypted, and with dashboards on loopback, unless they say otherwise."""
    if kind not in WITH_CERTIFICATES:
        return dict(arguments)
    secured = dict(arguments)
    asked = secured.get("security", True)
    secured["security"] = (security() if asked is True else asked) or None
    if kind.startswith("Local"):
        return {"dashboard_address": LOOPBACK, "protocol": _protocol(secured)} | secured
    scheduler = {"dashboard_address": LOOPBACK} | secured.get("scheduler_options", {})
    extra = [str(word) for word in secured.get("worker_extra_args", ())]
    if not any(word.startswith("--dashboard-address") for word in extra):
        extra += ["--dashboard-address", LOOPBACK]
    return secured | {"scheduler_options": scheduler, "worker_extra_args": extra}


def _protocol(arguments: Mapping[str, Any]) -> str:
    return "tls://" if arguments["security"] else "tcp://"


def require_private(address: str, trusted: bool) -> None:
    """Raise UserError unless a scheduler's address is encrypted or on this machine, or the network is trusted."""
    if trusted or _is_private(address):
        return
    raise UserError(
        f"{address}: not encrypted: whoever reaches it can run code as you; use tls:// (docs/cluster.md), or say"
        f" {FLAG} if nobody else is on that network"
    )


def _is_private(address: str) -> bool:
    """True for tls://, for what stays in this process, and for loopback."""
    url = urlsplit(address if "://" in address else f"tcp://{address}")
    if url.scheme in {"tls", "inproc"}:
        return True
    host = url.hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
