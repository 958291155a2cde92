"""HTTP with a limit on time and on size, for end points that may hang, drip or flood.

The stock clients time out each read of the socket, so a server that sends one byte a second holds
a thread for ever, and they retry on their own. This one does neither.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import urllib3

CONNECTIONS = 20
_PIECE_BYTES = 64 * 1024
_HEADERS = {"Content-Type": "application/json", "User-Agent": "nocust-operator"}


class NoAnswer(Exception):
    """The server is unreachable, broke off, or is no HTTP server; the message names no path."""


class TooSlow(NoAnswer):
    """The answer was not complete in time."""


class TooLarge(NoAnswer):
    """The answer is larger than any that is asked for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body and headers as they came."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class BoundedHttp:
    """One server; every exchange ends within about `timeout_s` seconds, redirects are not followed.

    Of its URL only host and port ever show, in `label`: the rest may hold an access key. Safe to
    use from several threads.
    """

    def __init__(self, url: str, *, name: str, timeout_s: float, most_bytes: int) -> None:
        parts = urlsplit(url)
        self.label = f"{name} at {parts.hostname}:{parts.port or parts.scheme}"
        self._url = url
        self._headers = dict(_HEADERS)
        if parts.username is not None:
            credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers |= urllib3.make_headers(basic_auth=credentials)
        self._timeout_s = timeout_s
        self._most_bytes = most_bytes
        self._pool = urllib3.PoolManager(maxsize=CONNECTIONS, retries=False)

    def __repr__(self) -> str:
        return f"BoundedHttp({self.label})"

    def post(self, body: bytes, path: str = "") -> Answer:
        """Send `body`. Raises `NoAnswer`."""
        return self._exchange("POST", path, body)

    def get(self, path: str = "") -> Answer:
        """Fetch. Raises `NoAnswer`."""
        return self._exchange("GET", path, None)

    def _exchange(self, method: str, path: str, body: bytes | None) -> Answer:
        deadline = time.monotonic() + self._timeout_s
        url = self._url.rstrip("/") + path if path else self._url
        try:
            response = self._pool.request(
                method,
                url,
                body=body,
                headers=self._headers,
                timeout=urllib3.Timeout(total=self._timeout_s),
                preload_content=False,
                redirect=False,
                retries=False,
            )
            try:
                read = self._read(response, deadline)
            except BaseException:
                response.close()
                raise
            response.release_conn()
        except urllib3.exceptions.TimeoutError:
            raise self._too_slow() from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            # The library's own text repeats the whole URL.
            raise NoAnswer(f"{self.label}: {type(error).__name__}") from None
        return Answer(response.status, read, response.headers)

    def _read(self, response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while piece := response.read1(_PIECE_BYTES, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            if size > self._most_bytes:
                raise TooLarge(f"{self.label}: answer over {self._most_bytes} bytes")
            if time.monotonic() > deadline:
                raise self._too_slow()
        return b"".join(pieces)

    def _too_slow(self) -> TooSlow:
        return TooSlow(f"{self.label}: no answer within {self._timeout_s} s")
