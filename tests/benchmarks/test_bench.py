"""The benches measure a real operator and fail when anything they measured is wrong."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from commands.bench import bench

pytestmark = pytest.mark.timeout(240)


def run(*arguments: str) -> str:
    result = CliRunner().invoke(bench, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def test_the_transfer_bench_pays_over_http_and_audits_what_it_paid() -> None:
    output = run(
        "transfers",
        *("--pairs", "4", "--seconds", "1", "--least", "20", "--crowd-seconds", "1"),
        *("--api-processes", "2", "--prepared-rate", "400"),
    )
    assert "4 pairs:" in output
    assert "8 senders, one recipient:" in output
    assert "receipts verified, as many stored" in output


def test_the_stream_bench_counts_what_each_subscriber_is_told() -> None:
    output = run(
        "streams",
        *("--subscribers", "50", "--pairs", "10", "--rate", "50", "--seconds", "2"),
        *("--limit-ms", "0"),
    )
    # 100 transfers are told to two wallets, each of which has two or three subscribers.
    assert "50 subscribers: 500 notifications of 100 transfers" in output
    assert "receipts verified, as many stored" in output


def test_the_checkpoint_bench_verifies_the_root_that_it_timed() -> None:
    output = run("checkpoint", "--wallets", "300")
    assert "300 wallets, 30 active" in output
    assert "created" in output


def test_the_order_bench_fills_its_books_and_audits_the_ledger() -> None:
    output = run("orders", "--books", "20,40", "--takers", "20", "--threads", "2")
    assert "book of 20:" in output
    assert "book of 40:" in output
    assert output.count("trades a second matched") == 2
