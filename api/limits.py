"""How much one caller and one wallet may ask for: buckets that fill at a rate, in this process.

They are kept in each process and not shared: a shared count would cost every payment a round trip.
Several processes on one port so allow up to as many times the rate, and a connection stays with
its process.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from sanic import Request

from api.callers import Callers
from api.faults import Detail
from api.policy import ApiPolicy
from protocol.address import Address

KEYS_KEPT: Final = 100_000
BURST_S: Final = 10.0
"""A bucket holds what flows in this time: nobody who pauses is held up."""


class Buckets:
    """One bucket for each key: `rate_per_s` flows in, each request takes one. 0 means no limit."""

    def __init__(self, rate_per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate_per_s
        self._most = max(1.0, rate_per_s * BURST_S)
        self._clock = clock
        self._levels: OrderedDict[object, tuple[float, float]] = OrderedDict()

    def take(self, key: object) -> float:
        """Take one; returns 0, or the seconds until there is one again and takes nothing."""
        if self._rate <= 0:
            return 0.0
        now = self._clock()
        level, since = self._levels.pop(key, (self._most, now))
        level = min(self._most, level + (now - since) * self._rate)
        wait_s = 0.0 if level >= 1 else (1 - level) / self._rate
        self._levels[key] = (level - 1 if wait_s == 0 else level, now)
        if len(self._levels) > KEYS_KEPT:
            self._levels.popitem(last=False)
        return wait_s


class Limits:
    """Refuses with 429 whoever asks too often; the operator's own machine and network may."""

    def __init__(self, callers: Callers, policy: ApiPolicy) -> None:
        self._callers = callers
        self._peers = Buckets(policy.peer_rate)
        self._wallets = Buckets(policy.wallet_rate)
        self._registrations = Buckets(policy.registration_rate)

    def require(self, request: Request) -> None:
        """Count a request of its caller."""
        self._count(request, self._peers, None)

    def require_wallet(self, request: Request, address: Address) -> None:
        """Count a payment or an order of a wallet."""
        self._count(request, self._wallets, address)

    def require_registration(self, request: Request) -> None:
        """Count a registration of its caller."""
        self._count(request, self._registrations, None)

    def _count(self, request: Request, buckets: Buckets, key: object | None) -> None:
        caller = self._callers.address(request)
        if self._callers.is_ours(caller):
            return
        wait_s = buckets.take(caller if key is None else key)
        if wait_s > 0:
            headers = {"Retry-After": str(math.ceil(wait_s))}
            raise Detail(429, "too many requests", headers=headers)
