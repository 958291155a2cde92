import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

import logs
from setting_types import Secret

KEY = "6cbed15c793ce57650b9877cf6fa156fbef513c4e6134f022a85b1ffdd59b2a1"
MNEMONIC = "myth like bonus scare over problem client lizard pioneer submit female collect"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure("json", "info", stream, secrets=(Secret(KEY), Secret("hunter2-hunter2")))
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_secrets_are_redacted_by_name_by_shape_and_by_value(stream: io.StringIO) -> None:
    log = structlog.stdlib.get_logger("test")
    log.info(
        "starting",
        owner_key="anything",
        mnemonic=MNEMONIC,
        nested={"list": [{"private_key": "deep"}], "wallet": "0xab"},
        url="postgresql+psycopg2://hub:hunter3@db/hub",
        wrapped=Secret("wrapped-secret"),
        text=f"the node said {KEY} and hunter2-hunter2",
        command="HUB_OWNER_ACCOUNT_KEY=0xfeed",
    )
    text = stream.getvalue()
    for secret in (KEY, MNEMONIC, "anything", "deep", "hunter", "wrapped-secret", "0xfeed"):
        assert secret not in text
    assert lines(stream)[0]["nested"] == {"list": [{"private_key": "***"}], "wallet": "0xab"}


def test_secrets_in_a_traceback_are_redacted(stream: io.StringIO) -> None:
    try:
        raise ValueError(f"bad key {KEY}")
    except ValueError:
        structlog.stdlib.get_logger("test").exception("failed")
    assert "bad key" in stream.getvalue()
    assert KEY not in stream.getvalue()


def test_libraries_logs_take_the_same_way(stream: io.StringIO) -> None:
    logging.getLogger("temporalio.worker").warning("lost %s", "hunter2-hunter2")
    entry = lines(stream)[0]
    assert entry["event"] == "lost ***"
    assert entry["logger"] == "temporalio.worker"
    assert entry["level"] == "warning"


def test_bound_facts_are_on_every_line_of_the_block_and_none_after_it(
    stream: io.StringIO,
) -> None:
    log = logs.get_logger("test")
    with logs.bind(eon=42, wallet="0xab", workflow="eon-42"):
        log.info("inside")
    log.info("outside")
    inside, outside = lines(stream)
    assert (inside["eon"], inside["wallet"], inside["workflow"]) == (42, "0xab", "eon-42")
    assert "eon" not in outside
