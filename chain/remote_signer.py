"""A key in another process: signing over HTTP by web3signer's protocol.

Countersignatures go to `POST /api/v1/eth1/sign/<public key>`, which hashes what it is sent, so it
is sent what is hashed last. Transactions go to `eth_signTransaction`, where a signer can apply
rules of its own. Nothing that comes back is believed: a signature must be the account's over
exactly what was asked, or it is as good as none.
"""

from __future__ import annotations

import json
import time
from threading import Lock
from typing import Any, Final

import rlp
from coincurve import PublicKey
from eth_account import Account

from chain.bounded_http import Answer, BoundedHttp, NoAnswer
from chain.fees import DynamicFee
from chain.signer import SignedTransaction, TransactionRequest
from protocol.address import Address
from protocol.keccak import keccak256
from protocol.signing import (
    InvalidSignature,
    SignerUnavailable,
    address_of,
    recover,
    signing_preimage,
)

MOST_BYTES: Final = 1024 * 1024
COOL_DOWN_S: Final = 1.0
"""After a failure nobody asks for so long: a line of payments must not wait for each in turn."""
ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
DYNAMIC_FIELDS: Final = 9
LEGACY_FIELDS: Final = 6


class RemoteKey:
    """One account's key at a remote signer. Safe to use from several threads."""

    def __init__(self, url: str, address: Address, *, timeout_s: float) -> None:
        self.address = address
        self._http = BoundedHttp(url, name="signer", timeout_s=timeout_s, most_bytes=MOST_BYTES)
        self._identifier: str | None = None
        self._failed_at: float | None = None
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"RemoteKey(0x{self.address.hex()}, {self._http.label})"

    def identifier(self) -> str:
        """The public key under which the signer knows the account.

        Raises `SignerUnavailable`, also when it holds no such key.
        """
        if self._identifier is None:
            listed = self._json(self._ask("GET", "/api/v1/eth1/publicKeys"))
            self._identifier = next(
                (key for key in listed if _account_of(key) == self.address), None
            )
        if self._identifier is None:
            raise SignerUnavailable(f"{self._http.label} holds no key of 0x{self.address.hex()}")
        return self._identifier

    def sign_data(self, data: bytes) -> bytes:
        """Have `data` hashed and signed: what the signer calls a signature, as bytes."""
        path = f"/api/v1/eth1/sign/{self.identifier()}"
        answer = self._ask("POST", path, {"data": f"0x{data.hex()}"})
        return self._hex(answer.body.decode("ascii", "replace").strip().strip('"'))

    def sign_transaction(self, fields: dict[str, str]) -> bytes:
        """Have a transaction signed: the bytes for the node, unchecked."""
        call = {"jsonrpc": "2.0", "id": 1, "method": "eth_signTransaction", "params": [fields]}
        answer = self._json(self._ask("POST", "", call))
        result = answer.get("result") if isinstance(answer, dict) else None
        # Some signers answer as nodes do, with the bytes beside the fields.
        raw = result.get("raw") if isinstance(result, dict) else result
        if not isinstance(raw, str):
            raise SignerUnavailable(f"{self._http.label} refuses to sign the transaction")
        return self._hex(raw)

    def _ask(self, method: str, path: str, body: Any = None) -> Answer:
        """Exchange; at once without an answer while the last failure is fresh."""
        with self._lock:
            failed_at = self._failed_at
        if failed_at is not None and time.monotonic() - failed_at < COOL_DOWN_S:
            raise SignerUnavailable(f"{self._http.label} has just failed")
        try:
            if method == "GET":
                answer = self._http.get(path)
            else:
                answer = self._http.post(json.dumps(body).encode(), path)
        except NoAnswer as error:
            self._note(failed=True)
            raise SignerUnavailable(str(error)) from None
        self._note(failed=answer.status >= 500)
        if answer.status != 200:
            raise SignerUnavailable(f"{self._http.label}: HTTP status {answer.status}")
        return answer

    def _note(self, *, failed: bool) -> None:
        with self._lock:
            self._failed_at = time.monotonic() if failed else None

    def _json(self, answer: Answer) -> Any:
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError):
            raise SignerUnavailable(f"{self._http.label}: the answer is not JSON") from None

    def _hex(self, text: str) -> bytes:
        try:
            return bytes.fromhex(text.removeprefix("0x"))
        except ValueError:
            raise SignerUnavailable(f"{self._http.label}: the answer is not hexadecimal") from None


class RemoteMessageSigner:
    """Countersigns with a remote key."""

    def __init__(self, key: RemoteKey) -> None:
        self._key = key
        self.address = key.address

    def __repr__(self) -> str:
        return f"RemoteMessageSigner({self._key!r})"

    def sign(self, message: bytes) -> bytes:
        """Sign a 32-byte message: 65 bytes, v 27 or 28, s in the lower half.

        Raises `SignerUnavailable`, also for a signature of anybody else.
        """
        answer = self._key.sign_data(signing_preimage(message))
        # Signers spell v as 0 or 27, or leave it out: it is found by trying.
        if len(answer) in (64, 65):
            r, s = answer[:32], int.from_bytes(answer[32:64])
            low = min(s, ORDER - s).to_bytes(32)
            for v in (27, 28):
                signature = r + low + bytes((v,))
                if _is_by(message, signature, self.address):
                    return signature
        raise SignerUnavailable("the remote signer's signature is not the account's")


class RemoteTransactionSigner:
    """Signs transactions with a remote key."""

    def __init__(self, key: RemoteKey) -> None:
        self._key = key
        self.address = key.address

    def __repr__(self) -> str:
        return f"RemoteTransactionSigner({self._key!r})"

    def sign(self, request: TransactionRequest) -> SignedTransaction:
        """Sign as EIP-1559 (type 2) or, for a LegacyFee, as a legacy transaction with chain id.

        Raises `SignerUnavailable`, also if what comes back is not exactly the request.
        """
        raw = self._key.sign_transaction(_fields(request, self.address))
        try:
            signer = bytes.fromhex(Account.recover_transaction(raw)[2:])
            is_ours = signer == self.address and _body(raw, request) == _expected(request)
        except Exception:  # noqa: BLE001 the decoders raise whatever they meet in foreign bytes
            is_ours = False
        if not is_ours:
            raise SignerUnavailable("the remote signer signed something else")
        return SignedTransaction(raw, keccak256(raw))


def _account_of(identifier: Any) -> Address | None:
    """The account of an uncompressed public key in hex, None for anything else."""
    try:
        point = bytes.fromhex(str(identifier).removeprefix("0x"))
        return address_of(PublicKey(point if len(point) == 65 else b"\x04" + point))
    except ValueError:
        return None


def _is_by(message: bytes, signature: bytes, address: Address) -> bool:
    try:
        return recover(message, signature) == address
    except InvalidSignature:
        return False


def _fields(request: TransactionRequest, sender: Address) -> dict[str, str]:
    """The request as `eth_signTransaction` takes it."""
    fields = {
        "from": f"0x{sender.hex()}",
        "to": f"0x{request.to.hex()}",
        "gas": hex(request.gas_limit),
        "value": hex(request.value),
        "nonce": hex(request.nonce),
        "data": f"0x{request.data.hex()}",
        "chainId": hex(request.chain_id),
    }
    if isinstance(request.fee, DynamicFee):
        fields["maxFeePerGas"] = hex(request.fee.max_fee)
        fields["maxPriorityFeePerGas"] = hex(request.fee.priority_fee)
    else:
        fields["gasPrice"] = hex(request.fee.gas_price)
    return fields


def _body(raw: bytes, request: TransactionRequest) -> list[Any]:
    """What a signed transaction says, its signature aside; a legacy one's chain id is in v."""
    is_dynamic = isinstance(request.fee, DynamicFee)
    if is_dynamic and raw[:1] != b"\x02":
        raise ValueError("another type of transaction")
    parts = rlp.decode(raw[1:] if is_dynamic else raw)
    if int.from_bytes(parts[-1]) > ORDER // 2:
        raise ValueError("nodes refuse a high s")
    if is_dynamic:
        return list(parts[:DYNAMIC_FIELDS])
    v = int.from_bytes(parts[LEGACY_FIELDS])
    return [*parts[:LEGACY_FIELDS], _number((v - 35) // 2)]


def _expected(request: TransactionRequest) -> list[Any]:
    call = [request.to, _number(request.value), request.data]
    gas, nonce, chain = map(_number, (request.gas_limit, request.nonce, request.chain_id))
    if isinstance(request.fee, DynamicFee):
        tip, cap = _number(request.fee.priority_fee), _number(request.fee.max_fee)
        return [chain, nonce, tip, cap, gas, *call, []]
    return [nonce, _number(request.fee.gas_price), gas, *call, chain]


def _number(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8)
