"""A remote signer that speaks web3signer's protocol, with a key that only its process has.

Run as a module it serves on a free port, which it prints; the key comes by its standard input.
`POST /mode` makes it misbehave: what a signer may do wrong, one word each.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from coincurve import PrivateKey
from eth_account import Account

from protocol.keccak import keccak256

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
OTHER_KEY = b"\x07" * 32


class SignerService(ThreadingHTTPServer):
    """Serves one key."""

    daemon_threads = True

    def __init__(self, key: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.key = key
        self.mode = "honest"

    def public_key(self) -> str:
        """The uncompressed public key, as web3signer lists it."""
        return "0x" + PrivateKey(self.key).public_key.format(compressed=False)[1:].hex()


class Handler(BaseHTTPRequestHandler):
    """The three end points that the operator uses, and the switch of the test."""

    server: SignerService
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """List the public keys."""
        mode = self._mode()
        if self.path == "/api/v1/eth1/publicKeys":
            keys = [] if mode == "keyless" else ["0x12", self.server.public_key()]
            self._answer(200, "application/json", json.dumps(keys))
        else:
            self._answer(404, "text/plain", "")

    def do_POST(self) -> None:
        """Sign data or a transaction."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/mode":
            self.server.mode = body
            self._answer(200, "text/plain", "")
        elif self.path == f"/api/v1/eth1/sign/{self.server.public_key()}":
            self._answer(200, "text/plain", self._sign(bytes.fromhex(body["data"][2:])))
        elif self.path == "/" and body["method"] == "eth_signTransaction":
            self._answer(200, "application/json", json.dumps(self._transaction(body)))
        else:
            self._answer(404, "text/plain", "")

    def _mode(self) -> str:
        mode = self.server.mode
        if mode == "silent":
            time.sleep(5)
        return mode

    def _sign(self, data: bytes) -> str:
        mode = self._mode()
        key = PrivateKey(OTHER_KEY if mode == "foreign" else self.server.key)
        data = b"something else" if mode == "altered" else data
        signed = key.sign_recoverable(keccak256(data), hasher=None)
        r, s, v = signed[:32], int.from_bytes(signed[32:64]), signed[64]
        if mode == "high":
            s, v = ORDER - s, 1 - v
        spelled = {"without v": b"", "v from 0": bytes((v,))}.get(mode, bytes((27 + v,)))
        return "garbage" if mode == "garbage" else "0x" + (r + s.to_bytes(32) + spelled).hex()

    def _transaction(self, body: Any) -> Any:
        mode = self._mode()
        given = {
            name: int(value, 16) if name not in ("from", "to", "data") else value
            for name, value in body["params"][0].items()
        }
        sender = given.pop("from")
        account = Account.from_key(OTHER_KEY if mode == "foreign" else self.server.key)
        if mode != "foreign" and sender != account.address.lower():
            return _rpc(body, error={"code": -32000, "message": "no such account"})
        if mode == "refusing":
            return _rpc(body, error={"code": -32000, "message": "against the rules"})
        if mode == "altered":
            given["value"] += 1
        if mode == "other chain":
            given["chainId"] += 1
        given["to"] = bytes(20) if mode == "other to" else bytes.fromhex(given["to"][2:])
        if "maxFeePerGas" in given:
            given["type"] = 2
        raw = "0x" + bytes(account.sign_transaction(given).raw_transaction).hex()
        if mode == "garbage":
            return _rpc(body, result="0x02c0")
        return _rpc(body, result={"raw": raw, "tx": {}} if mode == "like a node" else raw)

    def _answer(self, status: int, kind: str, text: str) -> None:
        if self.server.mode == "failing" and self.path != "/mode":
            status, text = 500, ""
        raw = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


def _rpc(body: Any, **answer: Any) -> Any:
    return {"jsonrpc": "2.0", "id": body["id"], **answer}


class RunningSigner:
    """A signer in another process."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"

    def behave(self, mode: str) -> None:
        """Make it honest, or wrong in one way."""
        request = urllib.request.Request(
            f"{self.url}/mode", json.dumps(mode).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10):
            pass


@contextmanager
def running_signer(key: bytes) -> Iterator[RunningSigner]:
    """Serve `key` from a process of its own until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.chain.signer_service"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write(key.hex() + "\n")
        process.stdin.flush()
        yield RunningSigner(process, int(process.stdout.readline()))
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


def main() -> None:
    """Serve until the standard input ends."""
    import threading

    service = SignerService(bytes.fromhex(sys.stdin.readline().strip()))
    threading.Thread(target=service.serve_forever, daemon=True).start()
    sys.stdout.write(f"{service.server_address[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
