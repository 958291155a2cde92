"""How many transfers a second the whole operator takes: HTTP in, signed and committed, HTTP out."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat
from statistics import median
from typing import Any, Final

from benchmarks.http import Answer, Connection, post
from benchmarks.payer import Payer, Purse, key_of
from benchmarks.seed import EON
from ledger.transfers import TransferRequest
from protocol.address import Address
from protocol.signing import is_signed_by
from protocol.states import active_state_digest

PATH: Final = "/transfer/"
AMOUNT: Final = 10**6
FUNDS: Final = 10**18
CREATED: Final = 201
NEWCOMERS: Final = 8
FIRST: Final = 100
LATER: Final = range(1900, 2000)


class TransferRefusedInBench(RuntimeError):
    """The operator refused a transfer that is correct."""


@dataclass(slots=True)
class Measured:
    """Answers of one phase with their latencies, by sender, and the seconds that it took."""

    elapsed_s: float
    latencies_s: list[list[float]]
    answers: list[list[bytes]]

    @property
    def count(self) -> int:
        """Transfers answered."""
        return sum(map(len, self.answers))

    @property
    def rate(self) -> float:
        """Transfers a second."""
        return self.count / self.elapsed_s

    def percentile_s(self, percent: int) -> float:
        """A percentile of the latencies."""
        ordered = sorted(latency for one in self.latencies_s for latency in one)
        return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)]

    def growth_against(self, newcomers: Measured) -> float | None:
        """Median latency of transfers 1,901 to 2,000 against newcomers' first 100.

        Both were sent in the same seconds, so that whatever else the machine did slowed both.
        """
        reached = [one for one in self.latencies_s if len(one) >= LATER.stop]
        if not reached or not newcomers.count:
            return None
        late = median(latency for one in reached for latency in one[LATER.start : LATER.stop])
        early = median(latency for one in newcomers.latencies_s for latency in one)
        return late / early


@dataclass(frozen=True, slots=True)
class Place:
    """Which contract and token the wallets belong to, and the trail of wallet 0."""

    contract: Address
    first_trail: int

    def payer(self, index: int) -> Payer:
        """The paying side of wallet number `index`."""
        return Payer(
            key_of(index),
            self.first_trail + index,
            contract=self.contract,
            token=self.contract,
            eon=EON,
            funds=FUNDS,
        )

    def purse(self, index: int) -> Purse:
        """The receiving side of wallet number `index`."""
        return Purse(key_of(index).address, self.first_trail + index)


def prepare_pair(place: Place, sender: int, recipient: int, count: int) -> list[bytes]:
    """Sign `count` transfers of a pair that nobody else pays into: positions are known."""
    payer, purse = place.payer(sender), place.purse(recipient)
    requests = []
    for nonce in range(count):
        requests.append(write_request(payer.pay(purse, AMOUNT, nonce)))
        payer.delivered(purse, AMOUNT, nonce, AMOUNT * nonce)
    return requests


def prepare(place: Place, pairs: int, count: int, *, first: int = 0) -> list[list[bytes]]:
    """Sign `count` transfers of each of `pairs` pairs, on all processors; even wallets pay odd."""
    senders, recipients = (range(first + odd, first + 2 * pairs, 2) for odd in (0, 1))
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(prepare_pair, repeat(place), senders, recipients, repeat(count)))


def write_request(request: TransferRequest) -> bytes:
    """Write the HTTP request of a transfer."""
    body = {
        "wallet": _name(request.debit_address, request.debit_token),
        "amount": str(request.amount),
        "eon_number": request.eon,
        "recipient": _name(request.credit_address, request.credit_token),
        "nonce": str(request.nonce),
        "debit_signature": {"value": request.state_signature.hex()},
        "debit_balance_signature": {"value": request.marker_signature.hex()},
        "debit_balance": str(request.marker_amount),
    }
    return post(PATH, json.dumps(body).encode())


def _name(address: Address, token: Address) -> dict[str, str]:
    return {"address": address.hex(), "token": token.hex()}


@dataclass(slots=True)
class Stage:
    """Some pairs' connections and what was measured on them."""

    connections: list[Connection]
    plans: Sequence[Sequence[bytes]]
    measured: Measured

    @classmethod
    async def open(cls, host: str, port: int, plans: Sequence[Sequence[bytes]]) -> Stage:
        """Connect each pair."""
        connections = [await Connection.open(host, port) for _ in plans]
        return cls(connections, plans, Measured(0.0, [[] for _ in plans], [[] for _ in plans]))

    async def send(self, number: int, request: bytes) -> None:
        """Send one request of a pair and note its latency."""
        sent = time.perf_counter()
        answer = await self.connections[number].send(request)
        self.measured.latencies_s[number].append(time.perf_counter() - sent)
        self.measured.answers[number].append(_accepted(answer))

    def close(self, elapsed_s: float) -> Measured:
        """Close the connections and return what was measured."""
        self.measured.elapsed_s = elapsed_s
        for connection in self.connections:
            connection.close()
        return self.measured


async def run_pairs(
    host: str,
    port: int,
    plans: Sequence[Sequence[bytes]],
    newcomers: Sequence[Sequence[bytes]] = (),
    *,
    seconds: float,
    least: int,
) -> tuple[Measured, Measured]:
    """Let every pair send its plan, one after the other, for `seconds` and `least` each.

    Newcomers send theirs while the pairs send their transfers 1,901 to 2,000.
    """
    old, new = await Stage.open(host, port, plans), await Stage.open(host, port, newcomers)
    grown = asyncio.Event()
    begun = time.perf_counter()

    async def pay(number: int) -> None:
        for count, request in enumerate(plans[number]):
            if time.perf_counter() - begun >= seconds and count >= least:
                return
            if count == LATER.start:
                grown.set()
            await old.send(number, request)

    async def join(number: int) -> None:
        await grown.wait()
        for request in newcomers[number]:
            await new.send(number, request)

    paying = asyncio.gather(*(pay(number) for number in range(len(plans))))
    joining = asyncio.gather(*(join(number) for number in range(len(newcomers))))
    await paying
    elapsed_s = time.perf_counter() - begun
    if grown.is_set():
        await joining
    joining.cancel()
    return old.close(elapsed_s), new.close(elapsed_s)


async def run_crowd(
    host: str, port: int, place: Place, senders: Sequence[int], recipient: int, *, seconds: float
) -> Measured:
    """Let several senders pay one recipient; each signs on the position it was just told."""
    connections = [await Connection.open(host, port) for _ in senders]
    measured = Measured(0.0, [[] for _ in senders], [[] for _ in senders])
    purse = place.purse(recipient)
    begun = time.perf_counter()

    async def send(number: int) -> None:
        payer = place.payer(senders[number])
        nonce = number
        while time.perf_counter() - begun < seconds:
            request = write_request(payer.pay(purse, AMOUNT, nonce))
            sent = time.perf_counter()
            body = _accepted(await connections[number].send(request))
            measured.latencies_s[number].append(time.perf_counter() - sent)
            measured.answers[number].append(body)
            payer.delivered(purse, AMOUNT, nonce, int(json.loads(body)["position"]))
            nonce += len(senders)

    await asyncio.gather(*(send(number) for number in range(len(senders))))
    measured.elapsed_s = time.perf_counter() - begun
    for connection in connections:
        connection.close()
    return measured


def _accepted(answer: Answer) -> bytes:
    if answer.status != CREATED:
        raise TransferRefusedInBench(f"{answer.status}: {answer.body[:300]!r}")
    return answer.body


@dataclass(slots=True)
class ReceiptCheck:
    """What is wrong with answers, judged by nothing but the answers and the operator's address."""

    place: Place
    operator: Address
    faults: list[str] = field(default_factory=list)
    ids: set[int] = field(default_factory=set)

    def check(self, senders: Iterable[int], measured: Measured) -> None:
        """Verify every receipt: numbers that follow each other, and the countersignature."""
        for index, answers in zip(senders, measured.answers, strict=True):
            signer, spent = key_of(index).address, 0
            for place, body in enumerate(answers):
                receipt = json.loads(body)
                spent += AMOUNT
                self._check_one(index, signer, receipt, place, spent)

    def _check_one(
        self, index: int, signer: Address, receipt: dict[str, Any], place: int, spent: int
    ) -> None:
        state = receipt["sender_active_state"]
        digest = active_state_digest(
            contract=self.place.contract,
            token=self.place.contract,
            wallet=signer,
            trail=self.place.first_trail + index,
            eon=receipt["eon_number"],
            tx_set_root=bytes.fromhex(state["tx_set_hash"]),
            spent=spent,
            gained=0,
        )
        countersignature = bytes.fromhex(state["operator_signature"])
        if state["tx_set_index"] != place or int(state["updated_spendings"]) != spent:
            self.faults.append(f"transfer {receipt['id']}: its numbers do not follow")
        if not is_signed_by(digest, bytes.fromhex(state["wallet_signature"]), signer):
            self.faults.append(f"transfer {receipt['id']}: not the state that was signed")
        if not is_signed_by(digest, countersignature, self.operator):
            self.faults.append(f"transfer {receipt['id']}: not the operator's signature")
        if receipt["id"] in self.ids:
            self.faults.append(f"transfer {receipt['id']}: answered twice")
        self.ids.add(receipt["id"])
