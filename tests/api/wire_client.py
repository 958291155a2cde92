"""A trading client that does literally what the wire's sequences say, with raw HTTP and WebSocket.

It keeps books as the wallets in use do: rows are merged by id and overwritten by what comes later,
a row of another eon than the wallet's own is dropped, `CHECKPOINT_CREATED` is the only way into a
new eon, and any member that the published description does not have is an error. It shares nothing
with our own client but the protocol's hashes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import aiohttp

from protocol.address import Address
from protocol.encoding import ZERO_HASH
from protocol.markers import minimum_available_balance_digest
from protocol.orders import CLOSED_START, OrderTerms
from protocol.signing import Signer
from protocol.states import active_state_digest, admission_digest
from protocol.terms import terms_digest
from protocol.transfers import LAST_POSITION, transfer_leaf
from protocol.trees import plain
from tests.api.schemas import require_shape
from tests.ledger.world import text_of

PATIENCE_S = 30
ORDER_EONS = 5
PAYLOADS = {
    "REGISTERED_WALLET": "Admission",
    "CONFIRMED_DEPOSIT": "Deposit",
    "CHECKPOINT_CREATED": "WalletState",
    "TRANSFER_CONFIRMATION": "Transaction",
    "SWAP_CONFIRMATION": "Transaction",
    "INCOMING_SWAP": "Transaction",
    "MATCHED_SWAP": "Transaction",
    "SWAP_FINALIZATION": "FinalizeOut",
    "SWAP_CANCELLATION": "CancelOut",
    "CANCELLED_SWAP": "CancelOut",
}
nonces = count(1)


@dataclass
class Book:
    """One wallet: its eon, what the eon began with, its rows by id, and the eon before."""

    token: Address
    address: Address
    trail: int
    eon: int
    opening: int = 0
    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    deposits: dict[str, int] = field(default_factory=dict)
    last_eon: dict[int, dict[str, Any]] = field(default_factory=dict)

    def merge(self, row: dict[str, Any]) -> None:
        """Take a row over, unless it is of another eon."""
        if row["eon_number"] == self.eon:
            self.rows[row["id"]] = self.rows.get(row["id"], {}) | row

    def turn(self, state: dict[str, Any]) -> None:
        """Go on into the eon of a checkpoint; one that is known already changes nothing."""
        proof = state["merkle_proof"]
        if proof["eon_number"] == self.eon:
            return
        self.last_eon, self.rows, self.deposits = self.rows, {}, {}
        self.eon = proof["eon_number"]
        self.opening = int(proof["right"]) - int(proof["left"])
        for row in state["transactions"]:
            self.merge(row)
        for deposit in state["deposits"]:
            self.deposits[deposit["txid"]] = int(deposit["amount"])

    def sells(self, row: dict[str, Any]) -> bool:
        return bytes.fromhex(row["wallet"]["token"][2:]) == self.token

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The rows of the wallet's own set, in their order."""
        own = (row for row in self.rows.values() if row["swap"] or self._is_sender(row))
        return sorted((row for row in own if not row["voided"]), key=lambda row: row["id"])

    def _is_sender(self, row: dict[str, Any]) -> bool:
        return bytes.fromhex(row["wallet"]["address"][2:]) == self.address

    def matched_now(self, row: dict[str, Any]) -> tuple[int, int]:
        """Sold and bought in this eon: the totals less those last seen in the eon before."""
        now = row["matched_amounts"]
        before = next(
            (r["matched_amounts"] for r in self.last_eon.values() if r["tx_id"] == row["tx_id"]),
            {"matched_out": "0", "matched_in": "0"},
        )
        return tuple(int(now[n]) - int(before[n]) for n in ("matched_out", "matched_in"))  # type: ignore[return-value]

    def totals(self, entries: list[dict[str, Any]] | None = None) -> tuple[int, int]:
        """Spent and gained in effect."""
        entries = self.entries if entries is None else entries
        if not entries:
            return 0, 0
        row = entries[-1]
        if not row["swap"]:
            return pair(row["sender_active_state"])
        sold, bought = self.matched_now(row)
        if self.sells(row):
            if row["sender_cancellation_active_state"]:
                return pair(row["sender_cancellation_active_state"])
            spent, gained = pair(row["sender_active_state"])
            if row["recipient_finalization_active_state"]:
                return spent, gained + int(row["matched_amounts"]["matched_out"]) - sold
            return spent, gained + int(row["amount"]) - sold
        for name in ("finalization", "cancellation"):
            if row[f"recipient_{name}_active_state"]:
                return pair(row[f"recipient_{name}_active_state"])
        spent, gained = pair(row["recipient_active_state"])
        return spent, gained + bought

    @property
    def balance(self) -> int:
        spent, gained = self.totals()
        received = sum(
            int(row["amount"])
            for row in self.rows.values()
            if not row["swap"] and not self._is_sender(row)
        )
        return self.opening + sum(self.deposits.values()) + received + gained - spent

    def leaves(self, entries: list[dict[str, Any]], *, followed: bool) -> list[bytes]:
        """The leaves of a set, as they stand when the newest is followed by another or not."""
        last = len(entries) - 1
        return [
            self._leaf(row, is_last=i == last and not followed) for i, row in enumerate(entries)
        ]

    def _leaf(self, row: dict[str, Any], *, is_last: bool) -> bytes:
        if not row["swap"]:
            return leaf_of_transfer(row, LAST_POSITION if is_last else int(row["position"]))
        closed = row["complete"] or row["recipient_cancellation_active_state"]
        if not self.sells(row) and closed:
            return terms_of(row).leaf(CLOSED_START)
        carried = any(old["tx_id"] == row["tx_id"] for old in self.last_eon.values())
        if carried and is_last and not row["sender_cancellation_active_state"]:
            name = "sender_starting_balance" if self.sells(row) else "recipient_starting_balance"
            return terms_of(row).leaf(int(row[name]))
        return terms_of(row).leaf(self.opening)


class WireClient:
    """One key, one connection. `log` holds everything that came, replies and pushes, in order."""

    def __init__(self, url: str, session: aiohttp.ClientSession, signer: Signer) -> None:
        self.url, self.session, self.signer = url, session, signer
        self.contract = b""
        self.books: dict[Address, Book] = {}
        self.log: list[tuple[str, str, Any]] = []
        self.faults: list[str] = []
        self._news = asyncio.Condition()

    @asynccontextmanager
    async def connected(self, contract: Address) -> AsyncIterator[WireClient]:
        """Start as 7.1 says: socket, tokens, one subscription of all wallets of the key."""
        self.contract = contract
        async with self.session.ws_connect(self.url + "/ws/") as socket:
            reading = asyncio.create_task(self._read(socket))
            tokens = await self.call("GET", "audit/tokens/", shape=None)
            names = [f"wallet/{t['address'][2:]}/{text_of(self.signer.address)}" for t in tokens]
            pairs = [
                f"tokenpair/{a['address'][2:]}/{b['address'][2:]}"
                for a in tokens
                for b in tokens
                if a != b
            ]
            await socket.send_json({"op": "subscribe", "args": {"streams": names + pairs}})
            await socket.send_json({"op": "ping", "args": {}})
            yield self
            assert self.faults == []
            reading.cancel()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for frame in socket:
            message = json.loads(frame.data)
            if message["type"] != "notification":
                continue
            try:
                self._hear(message["data"]["type"], message["data"]["data"])
            except (AssertionError, KeyError, ValueError) as fault:
                self.faults.append(f"{message['data']['data']['type']}: {fault!r}")
            async with self._news:
                self._news.notify_all()

    def _hear(self, stream: str, event: dict[str, Any]) -> None:
        name, payload = event["type"], event["data"]
        require_shape(PAYLOADS[name], payload)
        self.log.append((stream, name, payload))
        if not stream.startswith("wallet/"):
            return
        token = bytes.fromhex(stream.split("/")[1])
        if name == "REGISTERED_WALLET":
            trail = payload["trail_identifier"]
            self.books[token] = Book(token, self.signer.address, trail, payload["eon_number"])
            return
        book = self.books[token]
        if name == "CHECKPOINT_CREATED":
            book.turn(payload)
        elif name == "CONFIRMED_DEPOSIT":
            if payload["eon_number"] == book.eon:
                book.deposits[payload["txid"]] = int(payload["amount"])
        elif name in ("SWAP_FINALIZATION", "SWAP_CANCELLATION"):
            book.rows[payload["id"]] |= payload
        else:
            book.merge(payload)

    async def call(self, method: str, path: str, body: Any = None, *, shape: str | None) -> Any:
        """One request, which must succeed, as the client sends it."""
        async with self.session.request(method, f"{self.url}/{path}", json=body) as response:
            answer = json.loads(await response.text())
            assert response.status in (200, 201), answer
        if shape:
            require_shape(shape, answer)
        self.log.append(("reply", f"{method} {path.split('?')[0]}", answer))
        return answer

    async def heard(self, *events: tuple[str, str], since: int) -> list[Any]:
        """Wait for pushes of these streams and names, in this order among what came since."""
        found: list[Any] = []

        def complete() -> bool:
            assert self.faults == []
            found.clear()
            rest = iter(self.log[since:])
            for wanted in events:
                match = next((one for one in rest if one[:2] == wanted), None)
                if match is None:
                    return False
                found.append(match[2])
            return True

        async with asyncio.timeout(PATIENCE_S), self._news:
            await self._news.wait_for(complete)
        return found

    async def register(self, *tokens: Address) -> None:
        """7.2, bulk: one push for each posted wallet, in the order of the body."""
        status = await self.call("GET", "audit", shape="OperatorStatus")
        terms = await self.call("GET", "tos/latest", shape="TosConfig")
        agreed = terms_digest(
            bytes.fromhex(terms["terms_of_service_digest"]),
            bytes.fromhex(terms["privacy_policy_digest"]),
        )
        since, body = len(self.log), []
        for token in tokens:
            zero = admission_digest(
                contract=self.contract,
                token=token,
                wallet=self.signer.address,
                trail=0,
                eon=status["latest"]["eon_number"],
            )
            body.append(
                {
                    "authorization": value(self.signer.sign(zero)),
                    "token": text_of(token),
                    "address": text_of(self.signer.address),
                    "tos_signature": value(self.signer.sign(agreed)),
                }
            )
        await self.call("POST", "admission/bulk/", {"admissions": body}, shape="BulkAdmissionOut")
        await self.heard(*((self.stream(t), "REGISTERED_WALLET") for t in tokens), since=since)

    async def load(self, token: Address) -> Book:
        """7.4 step 1: the wallet's state of its eon."""
        book = self.books[token]
        path = f"audit/{book.eon}/0x{text_of(token)}/0x{text_of(book.address)}/"
        state = await self.call("GET", path, shape="WalletState")
        for row in state["transactions"]:
            book.merge(row)
        for deposit in state["deposits"]:
            book.deposits[deposit["txid"]] = int(deposit["amount"])
        return book

    def stream(self, token: Address) -> str:
        return f"wallet/{text_of(token)}/{text_of(self.signer.address)}"

    def pair(self, sold: Address, bought: Address) -> str:
        return f"tokenpair/{text_of(sold)}/{text_of(bought)}"

    async def pay(self, token: Address, recipient: Address, amount: int) -> Any:
        """7.4: the recipient's admission, then the transfer."""
        book = self.books[token]
        name = f"audit/0x{text_of(token)}/0x{text_of(recipient)}/whois"
        trail = (await self.call("GET", name, shape="Admission"))["trail_identifier"]
        nonce, (spent, gained) = next(nonces), book.totals()
        leaf = transfer_leaf(
            counterparty=recipient,
            amount=amount,
            recipient_trail=trail,
            position=LAST_POSITION,
            nonce=nonce,
        )
        root = plain.root([*book.leaves(book.entries, followed=True), leaf])
        body = {
            "wallet": self.reference(token),
            "recipient": {"address": text_of(recipient), "token": text_of(token)},
            "amount": str(amount),
            "nonce": str(nonce),
            "eon_number": book.eon,
            "debit_balance": str(book.balance - amount),
            "debit_signature": self.state(book, book.eon, root, spent + amount, gained),
            "debit_balance_signature": self.marker(book, book.eon, book.balance - amount),
        }
        row = await self.call("POST", "transfer/", body, shape="Transaction")
        book.merge(row)
        return row

    async def order(self, sold: Address, bought: Address, amount: int, wanted: int) -> Any:
        """7.6 step 3: five lists of five."""
        debit, credit = self.books[sold], self.books[bought]
        assert (debit.balance, credit.balance) == (amount, 0)
        nonce, eon = next(nonces), debit.eon
        terms = OrderTerms(sold, bought, credit.trail, amount, wanted, nonce)
        lists: dict[str, list[Any]] = {}
        for later in range(ORDER_EONS):
            before = {book.token: ([] if later else book.entries) for book in (debit, credit)}
            starts = (amount, 0) if later else (debit.opening, credit.opening)
            (s, g), (sc, gc) = (book.totals(before[book.token]) for book in (debit, credit))
            sets = [book.leaves(before[book.token], followed=True) for book in (debit, credit)]
            e = eon + later
            for name, signed in (
                (
                    "debit_signature",
                    self.state(
                        debit, e, plain.root([*sets[0], terms.leaf(starts[0])]), s + amount, g
                    ),
                ),
                ("debit_balance_signature", self.marker(debit, e, 0)),
                (
                    "credit_signature",
                    self.state(credit, e, plain.root([*sets[1], terms.leaf(starts[1])]), sc, gc),
                ),
                ("credit_balance_signature", self.marker(credit, e, 0)),
                (
                    "credit_fulfillment_signature",
                    self.state(
                        credit,
                        e,
                        plain.root([*sets[1], terms.leaf(CLOSED_START)]),
                        sc,
                        gc + wanted,
                    ),
                ),
            ):
                lists.setdefault(name, []).append(signed)
        body = {
            "wallet": self.reference(sold),
            "recipient": self.reference(bought),
            "amount": str(amount),
            "amount_swapped": str(wanted),
            "eon_number": eon,
            "nonce": str(nonce),
            **lists,
        }
        row = await self.call("POST", "swap/", body, shape="Transaction")
        debit.merge(row)
        credit.merge(row)
        return row

    async def finalise(self, sold: Address, bought: Address) -> Any:
        """7.6 step 5: count the rows, sign the end for each, and put it."""
        row = self.books[bought].entries[-1]
        signed = self._end(self.books[bought], row, await self._rows_left(row))
        answer = await self.call(
            "PUT",
            f"swap/{row['id']}/finalize",
            {"finalization_signature": signed},
            shape="FinalizeOut",
        )
        for token in (sold, bought):
            self.books[token].rows[row["id"]] |= answer
        return answer

    async def cancel(self, sold: Address, bought: Address) -> Any:
        """7.7: look at the row, freeze, count the rows, cancel."""
        row_id = self.books[sold].entries[-1]["id"]
        row = await self.call("GET", f"audit/transactions/{row_id}", shape="Transaction")
        assert not (row["complete"] or row["voided"] or row["sender_cancellation_active_state"])
        freeze = self.signer.sign(terms_of(row).freeze_digest())
        frozen = await self.call(
            "PUT", f"swap/{row_id}/freeze", {"freezing_signature": value(freeze)}, shape="FreezeOut"
        )
        for token in (sold, bought):
            known = self.books[token].rows[row_id]
            known |= {"cancelled": True, "matched_amounts": frozen["matched_amounts"]}
        left = await self._rows_left(row)
        body = {
            f"{side}_cancellation_signature": self._end(
                self.books[token], self.books[token].rows[row_id], left
            )
            for side, token in (("sender", sold), ("recipient", bought))
        }
        answer = await self.call("PUT", f"swap/{row_id}/cancel", body, shape="CancelOut")
        for token in (sold, bought):
            self.books[token].rows[row_id] |= answer
        return answer

    async def _rows_left(self, row: dict[str, Any]) -> int:
        path = f"audit/transactions?tx_id={row['tx_id']}&limit=1000"
        page = await self.call("GET", path, shape="ConciseTransactionPage")
        return sum(one["eon_number"] >= row["eon_number"] for one in page["results"])

    def _end(self, book: Book, row: dict[str, Any], left: int) -> list[Any]:
        """The states that end an order for one of its wallets, as 4.14 and 4.16 give them."""
        a, b = int(row["amount"]), int(row["amount_swapped"])
        sold, bought = book.matched_now(row)
        earlier = [one for one in book.entries if one["id"] < row["id"]]
        before = book.leaves(earlier, followed=True)
        if book.sells(row):
            spent, gained = pair(row["sender_active_state"])
            gained += a - sold
            start, later = book.opening, max(spent, gained) + 1
        else:
            spent, gained = pair(row["recipient_active_state"])
            gained += bought
            start, later = CLOSED_START, max(spent, gained) + b + 1
            spent, gained = spent + b, gained + b
        root = plain.root([*before, terms_of(row).leaf(start)])
        eon = row["eon_number"]
        return [
            self.state(book, eon, root, spent, gained),
            *(self.state(book, eon + j, ZERO_HASH, later, later) for j in range(1, left)),
        ]

    def reference(self, token: Address) -> dict[str, str]:
        return {"address": text_of(self.signer.address), "token": text_of(token)}

    def state(self, book: Book, eon: int, root: bytes, spent: int, gained: int) -> dict[str, str]:
        digest = active_state_digest(
            contract=self.contract,
            token=book.token,
            wallet=book.address,
            trail=book.trail,
            eon=eon,
            tx_set_root=root,
            spent=spent,
            gained=gained,
        )
        return value(self.signer.sign(digest))

    def marker(self, book: Book, eon: int, amount: int) -> dict[str, str]:
        digest = minimum_available_balance_digest(
            contract=self.contract, token=book.token, wallet=book.address, eon=eon, amount=amount
        )
        return value(self.signer.sign(digest))


def value(signature: bytes) -> dict[str, str]:
    return {"value": signature.hex()}


def pair(state: dict[str, Any]) -> tuple[int, int]:
    return int(state["updated_spendings"]), int(state["updated_gains"])


def terms_of(row: dict[str, Any]) -> OrderTerms:
    return OrderTerms(
        bytes.fromhex(row["wallet"]["token"][2:]),
        bytes.fromhex(row["recipient"]["token"][2:]),
        row["recipient"]["trail_identifier"],
        int(row["amount"]),
        int(row["amount_swapped"]),
        int(row["nonce"]),
    )


def leaf_of_transfer(row: dict[str, Any], position: int) -> bytes:
    return transfer_leaf(
        counterparty=bytes.fromhex(row["recipient"]["address"][2:]),
        amount=int(row["amount"]),
        recipient_trail=row["recipient"]["trail_identifier"],
        position=position,
        nonce=int(row["nonce"]),
    )
