"""Who calls and under which name: the peer itself, or what a proxy of ours says about it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final, TypeAlias

from sanic import Request

from api.faults import Detail
from api.policy import ApiPolicy

Network: TypeAlias = IPv4Network | IPv6Network
EVERY_HOST: Final = "*"
KNOWN_NAMES: Final = 4096


class Callers:
    """Reads headers about the caller only from proxies of ours: anybody can write them."""

    def __init__(self, policy: ApiPolicy) -> None:
        self._networks = policy.trusted_proxies
        self._metrics_networks = policy.metrics_networks
        self._header = policy.caller_header
        self.is_ours = lru_cache(KNOWN_NAMES)(self._is_ours)

    def address(self, request: Request) -> str:
        """The caller's address: of a chain of proxies the last that is none of ours."""
        peer = str(request.ip)
        if not self.is_ours(peer):
            return peer
        told: str = request.headers.getone(self._header, "")
        for address in reversed(told.split(",")):
            if address.strip() and not self.is_ours(address.strip()):
                return address.strip()
        return peer

    def require_metrics(self, request: Request) -> None:
        """Refuse with 403 who may not read metrics."""
        if not _is_within(self.address(request), self._metrics_networks):
            raise Detail(403, "metrics are not for this address")

    def scheme(self, request: Request) -> str:
        """`http` or `https`, as the caller sees us."""
        if self.is_ours(str(request.ip)):
            told = request.headers.getone("x-forwarded-proto", "").partition(",")[0].strip()
            if told in ("http", "https"):
                return told
        return "https" if request.scheme in ("https", "wss") else "http"

    def _is_ours(self, spelled: str) -> bool:
        return _is_within(spelled, self._networks)


class Hosts:
    """The names under which we are reached; others would let pages elsewhere speak for us."""

    def __init__(self, allowed: Iterable[str]) -> None:
        names = {name.lower() for name in allowed}
        self._every = EVERY_HOST in names
        self._names = frozenset(name for name in names if not name.startswith("."))
        self._domains = tuple(name for name in names if name.startswith("."))
        self.is_allowed = lru_cache(KNOWN_NAMES)(self._is_allowed)

    def require(self, request: Request) -> None:
        """Refuse a request that names another host, or none: 400."""
        if not self._every and not self.is_allowed(request.headers.getone("host", "")):
            raise Detail(400, "this host is not served here")

    def _is_allowed(self, header: str) -> bool:
        name = header.lower()
        if not name.endswith("]"):
            head, colon, port = name.rpartition(":")
            name = head if colon and port.isdigit() else name
        name = name.removesuffix(".")
        return name in self._names or any(
            name.endswith(domain) or name == domain[1:] for domain in self._domains
        )


def _is_within(spelled: str, networks: Iterable[Network]) -> bool:
    try:
        address = ip_address(spelled)
    except ValueError:
        return False
    return any(address in network for network in networks)
