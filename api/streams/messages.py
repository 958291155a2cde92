"""Messages of the WebSocket as text, composed of parts that are rendered already."""

from __future__ import annotations

from api.replies import to_json


def notification(stream: str, event: str, payload: str) -> str:
    """An event of `stream`, spelled in the case in which wallet and token are registered.

    `payload` is JSON.
    """
    return (
        f'{{"type":"notification","data":{{"type":"{stream}",'
        f'"data":{{"type":"{event}","data":{payload}}}}}}}'
    )


def response(subject: str, data: str) -> str:
    """The answer to an operation or for a resource; `data` is JSON."""
    return f'{{"type":"response","data":{{"type":"{subject}","data":{data}}}}}'


def error(message: str, cause: str) -> str:
    """A refused frame; `cause` is JSON, the request as it was received."""
    return f'{{"type":"error","data":{{"message":{to_json(message)},"cause":{cause}}}}}'
