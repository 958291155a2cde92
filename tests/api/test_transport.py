"""What every answer carries, and what is refused before a handler sees it."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import aiohttp
import pytest
from sqlalchemy import text

from api.codes import ErrorCode, FormCode, HeaderCode
from api.openapi.explanations import EXPLANATIONS, explain
from api.policy import BODY_LIMIT_BYTES, ApiPolicy
from ledger.rules import LedgerRules
from settings import ROOT
from tests.api.conftest import ORIGIN
from tests.api.payments import admit
from tests.api.schemas import require_shape
from tests.api.serving import Site, eventually, serve
from tests.api.test_payments import codes
from tests.ledger.world import ETH, World, make_rules, text_of

pytestmark = pytest.mark.asyncio
JSON = {"Content-Type": "application/json;charset=utf-8"}


async def headers_of(site: Site, method: str, path: str, **headers: str) -> Any:
    async with site.session.request(method, site.url + path, headers=headers) as response:
        return response


async def test_an_allowed_origin_is_echoed_on_every_answer(site: Site) -> None:
    for method, path, status in (
        ("GET", "/audit/", 200),
        ("GET", "/nowhere", 404),
        ("DELETE", "/audit/", 405),
        ("POST", "/transfer/", 400),
        ("GET", "/audit/?format=xml", 404),
    ):
        response = await headers_of(site, method, path, Origin=ORIGIN)
        assert response.status == status, path
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert response.headers["Access-Control-Allow-Credentials"] == "true"
        assert response.headers["Vary"] == "Origin"


async def test_another_origin_is_not_echoed(site: Site) -> None:
    response = await headers_of(site, "GET", "/audit/", Origin="http://evil.example")
    assert response.status == 200
    assert "Access-Control-Allow-Origin" not in response.headers


async def test_all_origins_can_be_allowed(database_url: str, ledger: World) -> None:
    policy = ApiPolicy(all_origins_allowed=True)
    async with serve(database_url, lambda _session: ledger.rules, policy) as site:
        response = await headers_of(site, "GET", "/audit/", Origin="http://any.example")
    assert response.headers["Access-Control-Allow-Origin"] == "http://any.example"


async def test_a_preflight_is_answered_with_fixed_headers_on_every_path(site: Site) -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    for path in ("/transfer/", "/transfer", "/audit/tokens/", "/nowhere/"):
        async with site.session.options(site.url + path, headers=asked) as response:
            assert (response.status, await response.read()) == (200, b"")
            assert response.headers["Access-Control-Allow-Methods"] == (
                "DELETE, GET, OPTIONS, PATCH, POST, PUT"
            )
            assert "content-type" in response.headers["Access-Control-Allow-Headers"]
            assert response.headers["Access-Control-Max-Age"] == "86400"
            assert response.headers["Access-Control-Allow-Origin"] == ORIGIN


async def test_other_methods_are_405_and_options_describes_the_route(site: Site) -> None:
    response = await headers_of(site, "PUT", "/transfer/")
    assert response.status == 405
    assert "POST" in response.headers["Allow"]
    status, answer = await site.call("OPTIONS", "/audit/")
    assert status == 200
    assert answer["methods"] == ["GET", "HEAD", "OPTIONS"]


async def test_head_works_wherever_get_does(site: Site) -> None:
    for path in ("/audit", "/audit/tokens/", "/tos/latest", "/health/live"):
        async with site.session.head(site.url + path) as response:
            assert (response.status, await response.read()) == (200, b"")


async def test_answers_are_json_and_keep_the_connection(site: Site) -> None:
    response = await headers_of(site, "GET", "/audit/")
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Keep-Alive"] == "timeout=110"
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert len(response.headers["X-Request-Id"]) == 16
    named = await headers_of(site, "GET", "/audit/", **{"X-Request-Id": "call-7"})
    assert named.headers["X-Request-Id"] == "call-7"
    forged = await headers_of(site, "GET", "/audit/", **{"X-Request-Id": "a b;c"})
    assert forged.headers["X-Request-Id"] != "a b;c"


async def test_only_json_is_served(site: Site) -> None:
    for accept, status in (
        ("text/html", 406),
        ("application/json", 200),
        ("text/html, */*;q=0.1", 200),
        ("application/*", 200),
    ):
        assert (await headers_of(site, "GET", "/audit/", Accept=accept)).status == status
    assert (await site.get("/audit/?format=json"))[0] == 200


MALFORMED: list[tuple[bytes, dict[str, str], int]] = [
    (b"{", JSON, 400),
    (b'{"amount": NaN}', JSON, 400),
    (b"\xff\xfe", JSON, 400),
    (b"[" * 200_000, JSON, 400),
    (b'{"amount": ' + b"9" * 5_000 + b"}", JSON, 400),
    (b"<xml/>", {"Content-Type": "text/xml"}, 415),
    (gzip.compress(b"{}"), {"Content-Type": "application/octet-stream"}, 415),
]


async def test_unreadable_bodies_have_a_named_error(site: Site) -> None:
    for body, headers, expected in MALFORMED:
        status, answer = await site.call("POST", "/transfer/", data=body, headers=headers)
        assert status == expected, body[:20]
        require_shape("Detail", answer)


async def test_a_body_above_one_mebibyte_is_413(site: Site) -> None:
    status, answer = await site.call(
        "POST", "/admission/", data=b" " * (BODY_LIMIT_BYTES + 1), headers=JSON
    )
    assert status == 413
    require_shape("Detail", answer)


async def test_forms_are_read_with_dotted_names(site: Site, ledger: World) -> None:
    alice, bob = admit(ledger, "alice", deposit=100), admit(ledger, "bob")
    for wrap in (dict, aiohttp.FormData):
        flat: dict[str, Any] = {}
        body = alice.body(bob, 1)
        for name, value in body.items():
            if isinstance(value, dict):
                flat |= {f"{name}.{inner}": one for inner, one in value.items()}
            else:
                flat[name] = str(value)
        status, answer = await site.call("POST", "/transfer/", data=wrap(flat))
        assert status == 201, answer
        alice.accept(bob, answer)
    status, answer = await site.call(
        "POST", "/transfer/", data={"wallet": "x", "wallet.token": "y"}
    )
    assert status == 400
    assert codes(answer)["wallet"] == {"non_field_errors": ["invalid"]}


async def test_before_bootstrap_everything_but_health_is_503(
    database_url: str,
) -> None:
    rules: list[LedgerRules | None] = [None]
    async with serve(database_url, lambda _session: rules[0], ready=False) as site:
        for method, path in (
            ("GET", "/audit/"),
            ("GET", "/audit/tokens/"),
            ("GET", f"/audit/{text_of(ETH)}/{text_of(ETH)}/whois"),
            ("GET", f"/audit/1/{text_of(ETH)}/{text_of(ETH)}/"),
            ("GET", "/audit/transactions/"),
            ("GET", "/audit/transactions/1"),
            ("GET", "/tos/latest"),
            ("GET", "/sla"),
            ("GET", f"/sla/{text_of(ETH)}"),
            ("GET", "/analytics/transactions"),
            ("POST", f"/sla/{text_of(ETH)}"),
            ("POST", "/transfer/"),
            ("POST", "/admission/"),
            ("POST", "/admission/bulk/"),
            ("POST", "/tos/"),
        ):
            async with site.session.request(method, site.url + path) as response:
                assert response.status == 503, path
                assert "Retry-After" in response.headers
                require_shape("Detail", await response.json())
        assert await site.get("/health/live") == (200, {"live": True})
        assert await site.get("/health/ready") == (
            503,
            {"ready": False, "missing": ["the contract's parameters"], "degraded": []},
        )
        rules[0] = make_rules()

        async def names_the_rest() -> bool:
            _, answer = await site.get("/health/ready")
            missing: list[str] = answer["missing"]
            return missing == ["the first block", "the terms of service", "a token"]

        await eventually(names_the_rest)
        for path in ("/audit/", "/tos/latest"):
            assert (await site.get(path))[0] == 503


async def test_the_status_tells_the_people_who_run_it(site: Site) -> None:
    status, answer = await site.get("/health/status")
    assert status == 200
    assert answer["intake"] == "open"
    assert answer["open_alarms"] == 0
    assert answer["latest"]["eon_number"] == 1


async def test_a_failure_shows_nothing_of_its_inside(site: Site, ledger: World) -> None:
    with ledger.begin() as session:
        session.execute(text("ALTER TABLE token RENAME COLUMN short_name TO other"))
    async with site.session.get(site.url + "/audit/tokens/") as response:
        assert response.status == 500
        assert await response.json() == {"detail": "internal error"}


async def test_a_lost_database_is_503_and_comes_back(site: Site, ledger: World) -> None:
    with ledger.begin() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )

    async def is_back() -> bool:
        status, _ = await site.get("/audit/")
        assert status in (200, 503)
        return status == 200

    await eventually(is_back)
    alice, bob = admit(ledger, "alice", deposit=5), admit(ledger, "bob")
    status, answer = await site.post("/transfer/", alice.body(bob, 1))
    assert status == 201, answer


async def test_the_line_in_front_of_the_database_is_bounded(
    database_url: str, ledger: World
) -> None:
    policy = ApiPolicy(database_threads=1, waiting_limit=2)
    async with serve(database_url, lambda _session: ledger.rules, policy) as site:
        with ledger.begin() as session:
            session.execute(text("LOCK TABLE token IN ACCESS EXCLUSIVE MODE"))
            calls = [asyncio.create_task(site.get("/audit/tokens/")) for _ in range(8)]
            done, _ = await asyncio.wait(calls, timeout=1)
        answers = await asyncio.gather(*calls)

    assert sorted(task.result()[0] for task in done) == [503] * 5
    assert sorted(status for status, _ in answers) == [200] * 3 + [503] * 5


@pytest.mark.parametrize("path", ["/swagger/", "/redoc/", "/errors/"])
async def test_pages_and_their_assets_come_from_here(site: Site, path: str) -> None:
    async with site.session.get(site.url + path, headers={"Accept": "text/html,*/*"}) as page:
        assert page.status == 200
        assert page.headers["Content-Security-Policy"].startswith("default-src 'self'")
        html = await page.text()
    assert "http://" not in html
    assert "https://" not in html
    named = [line for line in html.split('"') if line.startswith("/swagger/")]
    assert len(named) > 0
    for line in named:
        async with site.session.get(site.url + line) as asset:
            assert asset.status == 200, line
            assert len(await asset.read()) > 100
    assert (await site.get("/swagger/assets/index.html"))[0] == 404


async def test_every_code_is_explained_on_the_page_and_in_the_documents(site: Site) -> None:
    codes = {code.value for code in (*ErrorCode, *FormCode, *HeaderCode)}
    assert {code.value for code in EXPLANATIONS} == codes
    async with site.session.get(site.url + "/errors/") as page:
        html = await page.text()
    for code, explanation in EXPLANATIONS.items():
        assert f'id="{code.value}"' in html
        assert explanation.cause and explanation.cure
    document = (ROOT / "docs" / "errors.md").read_text()
    assert document == explain(), "write it anew: nocust-operator describe errors >docs/errors.md"


async def test_the_description_lists_exactly_what_is_served(site: Site) -> None:
    _, document = await site.get("/swagger/openapi.json")
    assert document["openapi"] == "3.1.0"
    for page in ("/swagger/", "/redoc/"):
        assert await site.get(f"{page}?format=openapi") == (200, document)
    assert set(document["paths"]) == {
        "/audit/",
        "/audit/tokens/",
        "/audit/transactions/",
        "/audit/transactions/{number}/",
        "/audit/{eon}/{token}/{wallet}/",
        "/audit/{token}/{wallet}/whois",
        "/audit/{left}/{right}/orderbook",
        "/audit/{left}/{right}/matches",
        "/swap/",
        "/swap/{number}/finalize",
        "/swap/{number}/freeze",
        "/swap/{number}/cancel",
        "/admission/",
        "/admission/bulk/",
        "/transfer/",
        "/sla/",
        "/sla/{wallet}",
        "/analytics/wallets",
        "/analytics/transactions",
        "/analytics/deposits",
        "/analytics/withdrawals",
        "/analytics/challenges",
        "/tos/",
        "/tos/latest",
        "/tos/documents/{document}",
        "/livez",
        "/readyz",
        "/health/live",
        "/health/ready",
        "/health/status",
        "/transfer/delegated_withdrawal",
        "/admin/alarms",
        "/admin/switches",
        "/admin/switches/{switch}/{step}",
        "/admin/blacklist",
        "/admin/blacklist/{address}/{step}",
        "/admin/duties",
        "/admin/duties/{duty}",
        "/admin/duties/{duty}/{action}",
        "/admin/audit-log",
        "/admin/lane",
        "/admin/requests",
        "/admin/requests/{number}/{decision}",
        "/admin/covers/{token}",
        "/admin/unclaimed/{token}",
    }
    schemas = document["components"]["schemas"]
    for reference in _references(document):
        assert reference.removeprefix("#/components/schemas/") in schemas
    codes_of_the_wire = schemas["ErrorItem"]["properties"]["code"]["enum"]
    for path in document["paths"].values():
        for operation in path.values():
            assert set(operation.get("x-error-codes", ())) <= set(codes_of_the_wire)


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if "$ref" in value else []
        return own + [one for inner in value.values() for one in _references(inner)]
    if isinstance(value, list):
        return [one for inner in value for one in _references(inner)]
    return []


async def test_configured_terms_are_served_and_nothing_beside_them(
    database_url: str, ledger: World, tmp_path: Any
) -> None:
    (tmp_path / "terms-of-service.md").write_text("# Terms")
    (tmp_path / "terms.json").write_text(json.dumps({"tosHash": "00"}))
    (tmp_path / "secret.md").write_text("no")
    policy = ApiPolicy(terms_folder=tmp_path)
    async with serve(database_url, lambda _session: ledger.rules, policy) as site:
        async with site.session.get(site.url + "/tos/documents/terms-of-service") as response:
            assert await response.text() == "# Terms"
        assert await site.get("/tos/documents/terms") == (200, {"tosHash": "00"})
        for name in ("secret", "privacy-policy", "..%2Fsecret"):
            assert (await site.get(f"/tos/documents/{name}"))[0] == 404
