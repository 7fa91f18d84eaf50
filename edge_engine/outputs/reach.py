"""Whom an address lets in: this machine's programs alone, or others as well."""

from __future__ import annotations

from ipaddress import ip_address

from edge_engine.errors import ConfigError


def is_loopback(host: str) -> bool:
    """Whether only this machine's programs can reach it; `host` is an address, a name, an interface or *."""
    if host in ("localhost", "lo"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def host_of(address: str) -> str:
    """Of HOST:PORT."""
    return address.rpartition(":")[0]


def open_error(key: str, endpoint: str, cure: str) -> ConfigError:
    """Nobody publishes to a whole network without having said so."""
    return ConfigError(f"{key}: {endpoint} is open to other machines; expected {cure}")
