"""Who a wallet is: facts that never change once it is admitted, so that a process may keep them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final, TypeAlias

from protocol.address import Address

CAPACITY: Final = 100_000
WalletName: TypeAlias = tuple[Address, Address]
"""A token's address and the wallet's address in it."""

_TOKENS = "SELECT address FROM token WHERE state = 'active' AND address = ANY(%s)"
_WALLETS = """
SELECT token.address, wallet.address, wallet.id, token.id, token.text, token.trail,
       wallet.text, wallet.trail_identifier
FROM unnest(%s::bytea[], %s::bytea[]) AS named (token, address)
JOIN token ON token.address = named.token AND token.state = 'active'
JOIN wallet ON wallet.token_id = token.id AND wallet.address = named.address
"""


@dataclass(frozen=True, slots=True)
class WalletIdentity:
    """An admitted wallet. Texts are 40 digits in the letter case that the wire echoes, no `0x`."""

    wallet_id: int
    token_id: int
    token: Address
    token_text: str
    token_trail: int
    address: Address
    text: str
    trail: int

    @property
    def stream(self) -> str:
        """The name of the wallet's stream of notifications."""
        return f"wallet/{self.token_text}/{self.text}"


@dataclass(frozen=True, slots=True)
class Lookup:
    """What a batch's names stand for: admitted wallets, wallets still waiting, known tokens."""

    admitted: dict[WalletName, WalletIdentity]
    pending: frozenset[WalletName]
    tokens: frozenset[Address]


class IdentityCache:
    """The identities that one process has met most recently, at most `capacity` of them.

    Only admitted wallets are kept: their rows never change. What is absent is asked for each time.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._known: OrderedDict[WalletName, WalletIdentity] = OrderedDict()
        self._lock = Lock()

    def look_up(self, cursor: Any, names: Iterable[WalletName]) -> Lookup:
        """Resolve names, asking the database only for those that are not kept."""
        found: dict[WalletName, WalletIdentity] = {}
        missing: list[WalletName] = []
        with self._lock:
            for name in set(names):
                identity = self._known.get(name)
                if identity is None:
                    missing.append(name)
                else:
                    self._known.move_to_end(name)
                    found[name] = identity
        pending, tokens = self._load(cursor, missing, found) if missing else (set(), set())
        return Lookup(
            admitted=found,
            pending=frozenset(pending),
            tokens=frozenset(tokens.union(token for token, _ in found)),
        )

    def _load(
        self, cursor: Any, names: list[WalletName], found: dict[WalletName, WalletIdentity]
    ) -> tuple[set[WalletName], set[Address]]:
        """Add what the database knows of `names` to `found`; return pending names and tokens."""
        cursor.execute(_WALLETS, ([token for token, _ in names], [address for _, address in names]))
        pending: set[WalletName] = set()
        for token, address, wallet_id, token_id, token_text, token_trail, text, trail in cursor:
            name = (bytes(token), bytes(address))
            if trail is None:
                pending.add(name)
                continue
            found[name] = WalletIdentity(
                wallet_id, token_id, name[0], token_text, token_trail, name[1], text, trail
            )
        cursor.execute(_TOKENS, (list({token for token, _ in names}),))
        tokens = {bytes(address) for (address,) in cursor}
        with self._lock:
            self._known.update((name, found[name]) for name in names if name in found)
            while len(self._known) > self._capacity:
                self._known.popitem(last=False)
        return pending, tokens
