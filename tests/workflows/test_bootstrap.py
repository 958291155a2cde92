"""The operator's start and its tokens' registration."""

from tests.workflows import scenarios
from tests.workflows.scripted import Script, positions

STEPS = (
    "adopt_contract",
    "ensure_schedules",
    "fetch_terms",
    "add_native_token",
    "open_registration",
    "broadcast",
    "activate_token",
    "add_pair",
)


async def test_a_first_start_registers_the_tokens_in_order(script: Script) -> None:
    await scenarios.bootstrapped(script)
    found = positions(script.names())
    assert [found[name] for name in STEPS] == sorted(found[name] for name in STEPS)


async def test_a_later_start_finds_everything_done(script: Script) -> None:
    await scenarios.bootstrapped_again(script)
    assert script.count("adopt_contract") == 2
    assert script.count("broadcast") == 1


async def test_no_token_is_admitted_before_the_terms_are_known(script: Script) -> None:
    await scenarios.bootstrapped_when_terms_arrive(script)
    names = script.names()
    assert names.count("fetch_terms") == 3
    last_fetch = len(names) - 1 - names[::-1].index("fetch_terms")
    assert last_fetch < names.index("add_native_token")


async def test_a_token_whose_nonce_was_taken_is_registered_with_another(script: Script) -> None:
    handle = await scenarios.token_registered_at_the_second_try(script)
    assert (await handle.result())["trail"] == 1
    assert [a.revision for n, a in script.asked if n == "open_registration"] == [1, 2]


async def test_a_token_that_the_contract_lists_is_only_activated(script: Script) -> None:
    await scenarios.token_found_registered(script)
    assert script.names() == ["open_registration", "activate_token", "clear_alarm"]
