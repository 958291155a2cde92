"""The operator's HTTP interface, one method a route that a wallet uses."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, Self

import aiohttp

from protocol.address import Address, checksum_address
from protocol.signing import format_signature
from wallet.errors import MalformedAnswer, OperatorRefused, OperatorUnreachable
from wallet.members import bare
from wallet.order_answers import (
    Cancelled,
    Finalised,
    Frozen,
    ListedTransaction,
    OrderBook,
    read_page,
)
from wallet.wire import OrderRow, Registration, Transaction, WalletState

TIMEOUT_S: Final = 30
PAGE: Final = 1000
LARGEST_ANSWER_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Status:
    """The operator's clock: its newest and its newest confirmed block, and the eon's length."""

    latest_block: int
    eon: int
    confirmed_block: int
    confirmed_eon: int
    blocks_per_eon: int
    confirmation_blocks: int


@dataclass(frozen=True, slots=True)
class Terms:
    """The digests of the documents in force."""

    terms_of_service: bytes
    privacy_policy: bytes


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """A token as listed."""

    address_text: str
    name: str
    short_name: str


@dataclass(frozen=True, slots=True)
class SignedAdmission:
    """What one wallet sends to be admitted."""

    token: Address
    address: Address
    authorization: bytes
    terms_signature: bytes

    def body(self) -> dict[str, Any]:
        """Return the JSON body, addresses without 0x as old operators want them."""
        return {
            "authorization": {"value": format_signature(self.authorization)},
            "token": checksum_address(self.token)[2:],
            "address": checksum_address(self.address)[2:],
            "tos_signature": {"value": format_signature(self.terms_signature)},
        }


def first_error(body: Any) -> tuple[str, str]:
    """Find the first code and message in an error of any of the operator's shapes."""
    if isinstance(body, list):
        return first_error(body[0]) if body else ("", "")
    if not isinstance(body, dict):
        return "", str(body)[:200]
    if isinstance(body.get("code"), str):
        return body["code"], str(body.get("message", ""))
    if "detail" in body:
        return "", str(body["detail"])
    for value in body.values():
        code, message = first_error(value)
        if code:
            return code, message
    return "", ""


async def _read_bounded(content: aiohttp.StreamReader) -> bytes:
    raw = bytearray()
    async for chunk in content.iter_any():
        raw += chunk
        if len(raw) > LARGEST_ANSWER_BYTES:
            raise MalformedAnswer(f"an answer of more than {LARGEST_ANSWER_BYTES} bytes")
    return bytes(raw)


class OperatorApi:
    """A connection pool to one operator; `async with` closes it."""

    def __init__(self, url: str, *, connection_limit: int = 16) -> None:
        self.url = url.rstrip("/")
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
            connector=aiohttp.TCPConnector(limit=connection_limit),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session, for the WebSocket that shares it."""
        return self._session

    async def status(self) -> Status:
        """Read the operator's clock."""
        body = await self._get("/audit/")
        try:
            return Status(
                body["latest"]["block"],
                body["latest"]["eon_number"],
                body["confirmed"]["block"],
                body["confirmed"]["eon_number"],
                body["blocks_per_eon"],
                body["confirmation_blocks"],
            )
        except (KeyError, TypeError) as cause:
            raise MalformedAnswer("the status lacks a member") from cause

    async def tokens(self) -> list[TokenInfo]:
        """List the tokens in trail order; the first is the native one."""
        body = await self._get("/audit/tokens/")
        try:
            return [TokenInfo(t["address"], t["name"], t["short_name"]) for t in body]
        except (KeyError, TypeError) as cause:
            raise MalformedAnswer("a token lacks a member") from cause

    async def terms(self) -> Terms:
        """Read the digests of the terms in force."""
        body = await self._get("/tos/latest")
        try:
            return Terms(bare(body["terms_of_service_digest"]), bare(body["privacy_policy_digest"]))
        except (KeyError, TypeError, ValueError) as cause:
            raise MalformedAnswer("the terms lack a digest") from cause

    async def whois(self, token: Address, address: Address) -> Registration | None:
        """Look up an admission; None when the address is not registered."""
        try:
            body = await self._get(
                f"/audit/{checksum_address(token)}/{checksum_address(address)}/whois"
            )
        except OperatorRefused as refusal:
            if refusal.status == 404:
                return None
            raise
        return Registration.read(body)

    async def wallet_state(self, eon: int, token: Address, address: Address) -> WalletState:
        """Read all that the operator says of a wallet in an eon."""
        path = f"/audit/{eon}/{checksum_address(token)}/{checksum_address(address)}/"
        return WalletState.read(await self._get(path))

    async def transaction(self, transaction_id: int) -> Transaction:
        """Read one transfer, with its delivery proof once there is one."""
        return Transaction.read(await self._get(f"/audit/transactions/{transaction_id}/"))

    async def admit(self, admission: SignedAdmission) -> None:
        """Register one wallet."""
        await self._post("/admission/", admission.body())

    async def admit_bulk(self, admissions: list[SignedAdmission]) -> None:
        """Register several wallets: all or, for a named reason, none."""
        await self._post(
            "/admission/bulk/", {"admissions": [admission.body() for admission in admissions]}
        )

    async def transfer(self, body: dict[str, Any]) -> Transaction:
        """Post a signed transfer; the answer is the countersigned one."""
        return Transaction.read(await self._post("/transfer/", body))

    async def place_order(self, body: dict[str, Any]) -> OrderRow:
        """Post a signed order; the answer is its copy of this eon, countersigned."""
        return OrderRow.read(await self._post("/swap/", body))

    async def freeze_order(self, row_id: int, body: dict[str, Any]) -> Frozen:
        """Stop an order, named by any of its copies, from matching."""
        return Frozen.read(await self._call("PUT", f"/swap/{row_id}/freeze", body))

    async def cancel_order(self, row_id: int, body: dict[str, Any]) -> Cancelled:
        """End a frozen order."""
        return Cancelled.read(await self._call("PUT", f"/swap/{row_id}/cancel", body))

    async def finalise_order(self, row_id: int, body: dict[str, Any]) -> Finalised:
        """End a fulfilled order."""
        return Finalised.read(await self._call("PUT", f"/swap/{row_id}/finalize", body))

    async def order_copies(self, tx_id: str) -> list[ListedTransaction]:
        """List the copies of an order, one an eon, void ones included."""
        rows = read_page(await self._get(f"/audit/transactions?tx_id={tx_id}&limit={PAGE}"))
        return sorted(rows, key=lambda row: row.eon)

    async def orders_of(self, address: Address) -> list[ListedTransaction]:
        """List the newest copies of an address's orders, latest eon last."""
        rows = read_page(
            await self._get(
                f"/audit/transactions?swap=true&search={address.hex()}"
                f"&ordering=-eon_number&limit={PAGE}"
            )
        )
        return sorted(rows, key=lambda row: (row.eon, row.id))

    async def order_book(self, left: Address, right: Address) -> OrderBook:
        """Read the open orders of a pair."""
        return OrderBook.read(
            await self._get(f"/audit/{checksum_address(left)}/{checksum_address(right)}/orderbook")
        )

    async def delegate_withdrawal(self, form: dict[str, str]) -> None:
        """Have the operator request a withdrawal; refusals are bare texts."""
        answer = await self._call("POST", "/transfer/delegated_withdrawal", None, form=form)
        if answer != "Ok":
            raise MalformedAnswer("the delegated withdrawal was answered by something else")

    async def _get(self, path: str) -> Any:
        return await self._call("GET", path, None)

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        return await self._call("POST", path, body)

    async def _call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        *,
        form: dict[str, str] | None = None,
    ) -> Any:
        sent: dict[str, Any] = {"json": body} if form is None else {"data": form}
        try:
            async with self._session.request(method, self.url + path, **sent) as response:
                raw = await _read_bounded(response.content)
                status = response.status
        except (aiohttp.ClientError, TimeoutError) as cause:
            raise OperatorUnreachable(f"{method} {path}: {cause or 'no answer'}") from cause
        try:
            answer = json.loads(raw) if raw else None
        except ValueError as cause:
            if status < 400:
                raise MalformedAnswer(f"the answer to {method} {path} is not JSON") from cause
            answer = None
        if status >= 400:
            raise OperatorRefused(status, *first_error(answer))
        return answer
