"""What the contract says at the head, and what it would say to a call."""

from typing import Any

import pytest
from eth_abi.abi import encode

from chain.calls import build_call, deposit, register_token, submit_checkpoint
from chain.errors import CallReverted, ContractMissing, HeadMoved, NodeRefused, WrongChain
from chain.events import CheckpointSubmission, Deposit, TokenRegistered, UnknownLog
from chain.gas import estimate_gas
from chain.gateway import ContractGateway
from chain.logs import fetch_events
from chain.node import MAX_BATCH, Node, Reading
from chain.parameters import detect_edition, require_same
from chain.reader import SNAPSHOT_ATTEMPTS
from chain.signer import TransactionSigner
from contracts.deployment import deploy_token
from protocol.accumulator import Operation, accumulate
from protocol.editions import ContractEdition, UnknownEdition
from simulation.node_proxy import NodeProxy
from tests.chain.conftest import Chain, account_key

NOWHERE = b"\x0e" * 20


def _place_code(chain: Chain, runtime: bytes) -> ContractGateway:
    chain.rpc("anvil_setCode", f"0x{NOWHERE.hex()}", f"0x{runtime.hex()}")
    return ContractGateway(chain.node, NOWHERE)


@pytest.mark.only_on(ContractEdition.HARDENED)
def test_our_contract_names_its_edition_and_what_deployment_fixed(
    gateway: ContractGateway, operator: TransactionSigner
) -> None:
    found = gateway.parameters()
    assert found.edition is ContractEdition.HARDENED
    assert (found.chain_id, found.operator) == (1337, operator.address)
    assert (found.blocks_per_eon, found.blocks_per_epoch) == (60, 15)
    assert (found.extended_blocks_per_epoch, found.eons_kept, found.deposits_kept) == (20, 5, 3)
    assert found.challenge_cost == 5 * 10**9
    assert found.genesis_block == gateway.node.head().number


def test_a_contract_that_swallows_unknown_calls_is_the_published_one(chain: Chain) -> None:
    assert detect_edition(_place_code(chain, b"\x00")) is ContractEdition.PUBLISHED


def test_an_edition_of_the_future_is_refused(chain: Chain) -> None:
    name = encode(["string"], ["nocust-hardened-9"])
    runtime = bytes.fromhex("6060600c60003960606000f3") + name
    with pytest.raises(UnknownEdition):
        detect_edition(_place_code(chain, runtime))


def test_an_address_without_code_is_no_contract(chain: Chain) -> None:
    with pytest.raises(ContractMissing):
        _place_code(chain, b"").parameters()


def test_a_database_of_another_contract_is_noticed_by_the_parameter_that_differs(
    gateway: ContractGateway,
) -> None:
    found = gateway.parameters()
    require_same(found, found)
    stored = {field: getattr(found, field) for field in type(found).__dataclass_fields__}
    other = type(found)(**{**stored, "genesis_block": 3})
    with pytest.raises(WrongChain, match=r"genesis_block is \d+, stored is 3"):
        require_same(found, other)


def test_the_contracts_own_clock_is_the_protocols_at_every_turn_of_an_eon(
    gateway: ContractGateway, chain: Chain
) -> None:
    clock = gateway.clock()
    for block in (clock.last_block(1), clock.first_block(2), clock.last_block(2)):
        chain.mine_to(block)
        facts = gateway.submission_facts()
        assert (facts.head.number, facts.eon) == (block, gateway.ask("currentEon")[0])
        assert facts.era == gateway.ask("currentEra")[0]


def test_a_deposit_shows_as_event_and_in_the_accumulator_that_the_next_eon_builds_on(
    gateway: ContractGateway,
    chain: Chain,
    operator: TransactionSigner,
    holder: TransactionSigner,
) -> None:
    ether = gateway.contract
    call = deposit(ether, token=ether, beneficiary=holder.address, amount=1000)
    receipt = chain.execute(holder, call)
    (event,) = fetch_events(chain.node, ether, receipt.block_number, receipt.block_number)
    assert event == Deposit(
        block_number=receipt.block_number,
        block_hash=receipt.block_hash,
        tx_hash=receipt.tx_hash,
        log_index=0,
        token=ether,
        recipient=holder.address,
        amount=1000,
    )
    expected = accumulate(
        bytes(32),
        eon=1,
        token=ether,
        participant=holder.address,
        operation=Operation.DEPOSIT,
        value=1000,
    )
    assert gateway.accumulator(1) == expected == gateway.submission_facts().accumulator
    chain.execute(operator, submit_checkpoint(ether, accumulator=bytes(32), root=b"\1" * 32))
    chain.mine_to(gateway.clock().first_block(2))
    assert gateway.submission_facts().basis == expected


def test_a_checkpoint_is_judged_by_the_facts_read_before(
    gateway: ContractGateway, chain: Chain, operator: TransactionSigner
) -> None:
    facts = gateway.submission_facts()
    assert (facts.is_submitted, facts.is_halted, facts.live_challenges) == (False, False, 0)
    root = b"\x5a" * 32
    call = submit_checkpoint(gateway.contract, accumulator=facts.basis, root=root)
    assert gateway.simulate(call, operator.address).revert is None
    assert 21_000 < estimate_gas(chain.node, call, operator.address) < 200_000
    receipt = chain.execute(operator, call)
    events = fetch_events(chain.node, gateway.contract, receipt.block_number, receipt.block_number)
    assert [(type(e), getattr(e, "eon", 0), getattr(e, "root", b"")) for e in events] == [
        (CheckpointSubmission, 1, root)
    ]
    after = gateway.submission_facts()
    assert (after.is_submitted, after.last_root) == (True, root)
    checkpoint = gateway.checkpoint(1)
    assert checkpoint is not None and checkpoint.root == root
    assert gateway.checkpoint(2) is None
    assert gateway.last_submission_eon() == 1


def test_a_refused_call_is_named_by_simulation_and_by_estimate_alike(
    gateway: ContractGateway, chain: Chain, operator: TransactionSigner, holder: TransactionSigner
) -> None:
    def meaning(call: Any, sender: TransactionSigner) -> str:
        simulated = gateway.simulate(call, sender.address).revert
        assert simulated is not None
        with pytest.raises(CallReverted) as estimated:
            estimate_gas(chain.node, call, sender.address)
        assert estimated.value.meaning == simulated.meaning
        return simulated.meaning

    right = submit_checkpoint(gateway.contract, accumulator=bytes(32), root=b"\1" * 32)
    stale = submit_checkpoint(gateway.contract, accumulator=b"\2" * 32, root=b"\1" * 32)
    assert meaning(right, holder) == "not the operator"
    assert meaning(stale, operator) == "the accumulator of the previous eon is another one now"
    chain.execute(operator, right)
    assert meaning(right, operator) == "a checkpoint of this eon is already on chain"


def test_an_eon_without_checkpoint_halts_the_contract_for_ever(
    gateway: ContractGateway, chain: Chain, operator: TransactionSigner
) -> None:
    chain.mine_to(gateway.clock().last_block(1))
    assert not gateway.has_missed_submission()
    chain.mine()
    assert gateway.has_missed_submission() and gateway.is_halted()
    assert gateway.submission_facts().is_halted
    late = submit_checkpoint(gateway.contract, accumulator=bytes(32), root=b"\1" * 32)
    revert = gateway.simulate(late, operator.address).revert
    assert revert is not None and revert.reason == "p"


@pytest.mark.only_on(ContractEdition.HARDENED)
def test_a_registered_token_has_the_next_trail_and_an_event_of_our_edition(
    gateway: ContractGateway, chain: Chain, operator: TransactionSigner
) -> None:
    with chain.mining_at_once():
        token = deploy_token(chain.node.w3, account_key(0), "Test", "TST", 10**24)
    assert gateway.token_at_trail(0) == gateway.contract
    assert gateway.token_at_trail(1) is None
    receipt = chain.execute(operator, register_token(gateway.contract, token))
    events = fetch_events(chain.node, gateway.contract, receipt.block_number, receipt.block_number)
    assert [(type(e), getattr(e, "trail", None)) for e in events] == [(TokenRegistered, 1)]
    assert (gateway.token_trail(token), gateway.token_at_trail(1)) == (1, token)


def test_a_log_outside_the_interface_is_kept_as_unknown(chain: Chain) -> None:
    # PUSH32 topic, PUSH1 0, PUSH1 0, LOG1: an event that nobody described.
    gateway = _place_code(chain, b"\x7f" + b"\xcd" * 32 + bytes.fromhex("60006000a1"))
    poke = build_call(NOWHERE, "currentEon")
    receipt = chain.execute(TransactionSigner(account_key(2)), poke)
    (event,) = fetch_events(
        chain.node, gateway.contract, receipt.block_number, receipt.block_number
    )
    assert isinstance(event, UnknownLog) and event.topic == b"\xcd" * 32


def test_a_block_between_two_parts_of_a_reading_makes_it_start_anew(
    gateway: ContractGateway, proxied: tuple[NodeProxy, Node], chain: Chain
) -> None:
    proxy, node = proxied
    moves = 1

    def move(body: bytes) -> None:
        nonlocal moves
        if b"eth_call" in body and moves:
            moves -= 1
            chain.mine()

    through_proxy = ContractGateway(node, gateway.contract)
    started_at = chain.node.head().number
    proxy.before = move
    head, ((era,), _) = through_proxy.ask_together(("currentEra",), ("currentEon",))
    assert (head.number, moves) == (started_at + 1, 0)
    assert era == gateway.clock().sub_block(head.number)
    moves = 100
    with pytest.raises(HeadMoved):
        through_proxy.ask_together(("currentEra",), ("currentEon",))
    assert 100 - moves == SNAPSHOT_ATTEMPTS


def test_a_refusal_while_the_head_stands_still_is_not_mistaken_for_a_new_block(
    gateway: ContractGateway, proxied: tuple[NodeProxy, Node]
) -> None:
    proxy, node = proxied

    def refuse(request: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        if request["method"] != "eth_call":
            return answer
        error = {"code": -32000, "message": "out of order"}
        return {"jsonrpc": "2.0", "id": request["id"], "error": error}

    proxy.lie = refuse
    with pytest.raises(NodeRefused, match="out of order"):
        ContractGateway(node, gateway.contract).ask_together(("currentEra",))


def test_more_readings_than_one_batch_takes_still_are_of_one_block(
    gateway: ContractGateway, proxied: tuple[NodeProxy, Node]
) -> None:
    proxy, node = proxied
    reading = Reading(gateway.contract, build_call(NOWHERE, "genesis").data, "genesis")
    result = node.read_at_head([reading] * (MAX_BATCH + 1))
    assert len(result.results) == MAX_BATCH + 1 and proxy.requests == 3
    assert {int.from_bytes(one, "big") for one in result.results} == {
        gateway.parameters().genesis_block
    }
