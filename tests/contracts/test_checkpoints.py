"""Checkpoints, the halt, and the getters that outlive it, on a real node."""

from protocol.encoding import ZERO_HASH
from protocol.withdrawals import delegated_withdrawal_digest

from .harness import BOND, ETHER, OPERATOR, A, B, Chain, checksum, signature_parts

ROOT = b"\x11" * 32


def test_one_checkpoint_an_eon_from_the_operator_over_the_right_accumulator(chain: Chain) -> None:
    submit = chain.functions.submitCheckpoint
    chain.at(1, 50)
    assert chain.reason(submit(ZERO_HASH, ROOT), A) == "operator"
    outcome = chain.send(submit(ZERO_HASH, ROOT), OPERATOR)
    assert outcome.named("CheckpointSubmission") == [{"eon": 1, "merkleRoot": ROOT}]
    assert chain.functions.lastSubmissionEon().call() == 1
    assert chain.functions.getCheckpointAtSlot(1).call() == [1, ROOT, 0]
    assert chain.reason(submit(ZERO_HASH, ROOT), OPERATOR) == "d"
    chain.deposit(A, ETHER)
    chain.at(2, 0)
    assert chain.reason(submit(ZERO_HASH, ROOT), OPERATOR) == "b"
    chain.send(submit(chain.accumulator(1), ROOT), OPERATOR)


def test_a_missed_checkpoint_halts_for_ever(base: Chain) -> None:
    token, holder = checksum(base.ether), checksum(A.address)
    signed = delegated_withdrawal_digest(
        contract=base.address,
        token=base.ether,
        holder=A.address,
        expiry_block=10**9,
        amount=1,
        pending=0,
    )
    authorised = base.functions.requestAuthorizedWithdrawal(
        token, 1, 10**9, *signature_parts(signed, OPERATOR)
    )
    leaf = base.allotment(3, base.ether, A.address)
    base.at(4, 59)
    base.deposit(A, 1)
    assert not base.functions.hasMissedCheckpointSubmission().call()
    for eon, era in ((5, 0), (6, 30), (9, 59)):
        base.at(eon, era)
        assert base.reason(base.functions.deposit(token, holder, 0), A, value=1) == "p"
        assert base.functions.hasMissedCheckpointSubmission().call()
        assert base.reason(base.request_with(leaf, 1), A, value=BOND) == "p"
        assert base.reason(authorised, A) == "p"
        assert base.reason(base.confirm(A), A) == "p"
        submit = base.functions.submitCheckpoint(base.accumulator(base.eon - 1), ROOT)
        assert base.reason(submit, OPERATOR) == "p"


def test_the_first_checkpoint_is_due_in_eon_one(chain: Chain) -> None:
    chain.at(1, 59).deposit(A, 1)
    call = chain.functions.deposit(checksum(chain.ether), checksum(A.address), 0)
    assert chain.reason(call, A, value=1) == "p"
    assert chain.functions.hasMissedCheckpointSubmission().call()
    assert chain.functions.lastSubmissionEon().call() == 0


def test_the_accumulator_goes_on_from_five_eons_before(chain: Chain) -> None:
    chain.at(1, 1).deposit(A, 1)
    first = chain.accumulator(1)
    chain.commit_each(1, 6, 2)
    assert chain.accumulator(6) == first
    chain.deposit(B, 2)
    assert chain.accumulator(6) != first


def test_the_wallets_getter_survives_an_early_halt(chain: Chain) -> None:
    read = chain.functions.getClientContractStateVariables(
        checksum(chain.ether), checksum(A.address)
    )
    for eon in (2, 9):
        chain.at(eon, 10)
        state = chain.next(read)
        assert state[0] == 0
        assert state[1] == [ZERO_HASH] * 5 and state[2] == [0] * 5


def test_the_wallets_getter_lists_roots_newest_first(chain: Chain) -> None:
    for eon in range(1, 8):
        chain.at(eon, 1)
        root = eon.to_bytes(32, "big")
        call = chain.functions.submitCheckpoint(chain.accumulator(eon - 1), root)
        chain.send(call, OPERATOR)
    read = chain.functions.getClientContractStateVariables(
        checksum(chain.ether), checksum(A.address)
    )
    eon, roots, live, *_ = read.call()
    assert eon == 7
    assert [int.from_bytes(root, "big") for root in roots] == [7, 6, 5, 4, 3]
    assert live == [0] * 5


def test_the_operators_getters_tell_the_present_eon(base: Chain) -> None:
    base.deposit(A, 3)
    state = base.functions.getServerContractStateVariables().call()
    _, root, _ = base.functions.getCheckpointAtSlot(3).call()
    assert state == [base.accumulator(3), 3, root, True, False, 0]
    ledger = base.functions.getServerContractLedgerStateVariables
    assert ledger(3, checksum(base.ether)).call() == [0, 0, 3, 20 * ETHER + 3]
    assert ledger(1, checksum(base.ether)).call() == [0, 0, 20 * ETHER, 20 * ETHER + 3]
    base.at(4, 1)
    assert base.next(base.functions.getServerContractStateVariables())[1:4] == [3, root, False]
