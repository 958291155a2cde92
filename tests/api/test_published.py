"""Our description beside the published one: nothing that wallets know is missing."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.api.schemas import PUBLISHED
from tests.api.serving import Site

pytestmark = pytest.mark.asyncio
Operations = dict[tuple[str, str], dict[str, Any]]

ABSENT = {
    ("GET", "/swagger"): "a page, which the description does not describe",
    ("GET", "/redoc"): "a page, which the description does not describe",
}
NEVER_RAISED = {
    ("/transfer", "INVALID_DEBIT_AMOUNT"): "a payment of 0 is legal",
    ("/transfer", "CREDIT_WALLET_EXCEEDED_SLA"): "the quota counts what is sent, not received",
    ("/swap", "INVALID_CREDIT_AMOUNT"): "min_value under the field says it",
}
OTHER_STATUSES = {
    "301": "both spellings of a path are answered, without a detour",
}
"""Statuses of the published description that we do not use there."""


def operations(document: dict[str, Any]) -> Operations:
    """By method and path; parameters have numbers, and a final slash does not count."""
    found: Operations = {}
    for path, methods in document["paths"].items():
        plain = re.sub(r"\{\w+\}", "{}", path).rstrip("/")
        for method, operation in methods.items():
            found.setdefault((method.upper(), plain), operation)
    return found


async def ours(site: Site) -> Operations:
    _, document = await site.get("/swagger/openapi.json")
    return operations(document)


async def test_every_published_operation_is_served_or_absent_for_a_reason(site: Site) -> None:
    served = await ours(site)
    for name in operations(PUBLISHED):
        assert (name in served) != (name in ABSENT), name


async def test_every_published_refusal_is_described(site: Site) -> None:
    served = await ours(site)
    for name, published in operations(PUBLISHED).items():
        if name in ABSENT:
            continue
        _, path = name
        codes = {
            code for code in published.get("x-error-codes", ()) if (path, code) not in NEVER_RAISED
        }
        assert codes <= set(served[name].get("x-error-codes", ())), name
        statuses = set(published["responses"]) - set(OTHER_STATUSES)
        assert statuses <= set(served[name]["responses"]), name


async def test_every_published_parameter_is_described(site: Site) -> None:
    served = await ours(site)
    for name, published in operations(PUBLISHED).items():
        if name not in ABSENT:
            known = {one["name"] for one in served[name].get("parameters", ())}
            asked = {one["name"] for one in published.get("parameters", ()) if "name" in one}
            assert asked <= known, name
