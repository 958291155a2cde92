"""What a deployment decides about its API, handed in by whoever composes the process."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Final

from setting_types import Secret

BODY_LIMIT_BYTES: Final = 1024 * 1024
FRAME_LIMIT_BYTES: Final = 64 * 1024
IDLE_CONNECTION_S: Final = 120
"""Above the 75 s that clients' pools keep a connection; see `KEEP_ALIVE_HINT_S`."""
KEEP_ALIVE_HINT_S: Final = 110
PING_INTERVAL_S: Final = 25
PING_TIMEOUT_S: Final = 75
PAGE_DEFAULT: Final = 10
PAGE_CAP: Final = 1000
LOOPBACK: Final = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


@dataclass(frozen=True, slots=True)
class ApiPolicy:
    """Settings of the API.

    `allowed_hosts` are names in the Host header (`.example.org` with all below it, `*` for all).
    `trusted_proxies` are networks whose word about the caller counts: `caller_header` and
    X-Forwarded-Proto. `terms_folder` holds the documents whose digests wallets sign, or None if
    they are served elsewhere. `matching_addresses` may read executed matches. `database_threads`
    bounds the readings at work, `waiting_limit` those in line, `socket_limit` the WebSockets of
    one process.
    `peer_rate`, `wallet_rate` and `registration_rate` are requests of one address, payments and
    orders of one wallet, registrations by one address: a second, 0 for any number. Metrics are
    told to `metrics_networks`. `admin_token` opens the administration; without one there is none.
    The last `profiled_requests` are kept (0: no profiling), `profiled_percent` of all.
    """

    allowed_hosts: frozenset[str] = frozenset({"localhost", "127.0.0.1", "[::1]"})
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = LOOPBACK
    caller_header: str = "x-forwarded-for"
    allowed_origins: frozenset[str] = frozenset()
    all_origins_allowed: bool = False
    terms_folder: Path | None = None
    matching_addresses: frozenset[str] = frozenset({"127.0.0.1"})
    database_threads: int = 8
    waiting_limit: int = 256
    socket_limit: int = 10_000
    drain_s: float = 10.0
    peer_rate: float = 200.0
    wallet_rate: float = 50.0
    registration_rate: float = 20.0
    metrics_networks: tuple[IPv4Network | IPv6Network, ...] = LOOPBACK
    admin_token: Secret | None = None
    profiled_requests: int = 0
    profiled_percent: int = 50
