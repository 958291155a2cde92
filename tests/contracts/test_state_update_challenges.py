"""State-update challenges: when they open, what answers them, what silence does."""

from dataclasses import replace

import pytest

from .disputes import (
    STAKE,
    State,
    answer_state_update,
    challenge_agreement,
    challenge_allotment,
    live,
    record,
)
from .harness import BOND, ETHER, OPERATOR, A, B, Chain, D, Member, checksum


def equal_shares(chain: Chain) -> dict[bytes, list[tuple[bytes, int]]]:
    return {chain.ether: [(A.address, 10 * ETHER), (B.address, 10 * ETHER)]}


def opened(chain: Chain, era: int = 16) -> int:
    """A challenges its allotment of eon 2 in eon 3; gives the block of the opening."""
    chain.at(3, era)
    call = challenge_allotment(chain, chain.allotment(2, chain.ether, A.address))
    return int(chain.send(call, A, value=STAKE).receipt["blockNumber"])


def test_challenges_open_after_the_slack_period(base: Chain) -> None:
    call = challenge_allotment(base, base.allotment(2, base.ether, A.address))
    base.at(3, 15)
    assert base.reason(call, A, value=STAKE) == "early"
    outcome = base.send(call, A, value=STAKE)
    assert outcome.named("ChallengeIssued") == [
        {
            "token": checksum(base.ether),
            "recipient": checksum(A.address),
            "sender": checksum(A.address),
        }
    ]
    block = outcome.receipt["blockNumber"]
    assert record(base, A, A) == [1, block, 2, 10 * ETHER, 0, 0, 0, 0, 0]
    assert live(base, 3) == 1
    assert base.reason(call, A, value=STAKE) == "open"


def test_an_entry_is_used_once_an_eon(base: Chain) -> None:
    opened(base)
    answer = answer_state_update(base, A, base.allotment(3, base.ether, A.address))
    base.send(answer, D)
    again = challenge_allotment(base, base.allotment(2, base.ether, A.address))
    assert base.reason(again, A, value=STAKE) == "used"
    base.at(4, 1).commit(equal_shares(base))
    base.at(4, 16)
    later = challenge_allotment(base, base.allotment(3, base.ether, A.address))
    base.send(later, A, value=STAKE)


def test_no_challenge_is_possible_in_the_first_eon(chain: Chain) -> None:
    chain.at(1, 16)
    admitted = State(chain, A, trail=0, eon=0)
    assert chain.reason(challenge_agreement(admitted), A, value=STAKE) == "used"


def test_an_answer_in_the_last_block_of_the_slack_period_is_good(base: Chain) -> None:
    block = opened(base)
    base.at(3, block + 14 - base.genesis - 2 * 60)
    outcome = base.send(answer_state_update(base, A, base.allotment(3, base.ether, A.address)), D)
    assert outcome.receipt["blockNumber"] == block + 14
    assert live(base, 3) == 0
    assert record(base, A, A) == [0, 0, 2, 0, 0, 0, 0, 0, 0]
    assert len(outcome.named("ChallengeAnswered")) == 1


def test_an_answer_one_block_later_is_late(base: Chain) -> None:
    opened(base)
    base.at(3, 16 + 15)
    answer = answer_state_update(base, A, base.allotment(3, base.ether, A.address))
    assert base.reason(answer, OPERATOR) == "late"


def test_a_challenge_of_the_last_block_is_answered_in_the_next_eon(base: Chain) -> None:
    opened(base, era=59)
    base.at(4, 13)
    base.send(answer_state_update(base, A, base.allotment(3, base.ether, A.address)), OPERATOR)
    base.commit(equal_shares(base))


def test_over_the_border_an_answer_is_late_after_as_many_blocks(base: Chain) -> None:
    opened(base, era=59)
    base.at(4, 14)
    answer = answer_state_update(base, A, base.allotment(3, base.ether, A.address))
    assert base.reason(answer, OPERATOR) == "late"


def test_silence_halts_after_the_slack_period_of_the_next_eon(base: Chain) -> None:
    opened(base)
    base.at(4, 1)
    submit = base.functions.submitCheckpoint(base.accumulator(3), bytes(32))
    assert base.reason(submit, OPERATOR) == "c"
    base.at(4, 15).deposit(B, ETHER)
    deposit = base.functions.deposit(checksum(base.ether), checksum(B.address), 0)
    assert base.reason(deposit, B, value=1) == "p"
    assert base.functions.hasOutstandingChallenges().call()
    assert not base.functions.hasMissedCheckpointSubmission().call()
    held = base.balance(A.address)
    base.send(base.recover(A, base.allotment(2, base.ether, A.address)), D)
    assert base.balance(A.address) == held + 10 * ETHER
    base.at(5, 1)
    assert base.next(base.functions.hasMissedCheckpointSubmission())
    base.send(base.recover(B, base.allotment(2, base.ether, B.address)), D)
    assert base.balance() == 0


def test_the_bond_covers_the_gas_and_goes_to_the_operator_whole(base: Chain) -> None:
    base.at(3, 16)
    call = challenge_allotment(base, base.allotment(2, base.ether, A.address))
    assert base.reason(call, A, value=10**9) == "r"
    assert base.reason(call, A, value=2 * BOND, gas_price=20 * 10**9) == "r"
    operators = base.balance(OPERATOR.address)
    base.send(call, A, value=ETHER)
    assert base.balance(OPERATOR.address) == operators + ETHER


def test_a_forgotten_deposit_cannot_be_answered_for(chain: Chain) -> None:
    _deposits_then_commits(chain, [(A.address, 10 * ETHER), (B.address, 15 * ETHER)])
    answer = answer_state_update(chain, A, chain.allotment(3, chain.ether, A.address))
    assert chain.reason(answer, OPERATOR) == "B"
    # What the sender of the answer deposited is nobody's business.
    assert chain.reason(answer, B) == "B"


def test_a_credited_deposit_is_an_answer(chain: Chain) -> None:
    _deposits_then_commits(chain, [(A.address, 15 * ETHER), (B.address, 10 * ETHER)])
    leaf = chain.allotment(3, chain.ether, A.address)
    chain.send(answer_state_update(chain, A, leaf), OPERATOR)


def _deposits_then_commits(chain: Chain, third: list[tuple[bytes, int]]) -> None:
    """A deposits 5 more in eon 2, `third` is committed in eon 3, A challenges."""
    chain.at(1, 2).deposit(A, 10 * ETHER)
    chain.deposit(B, 10 * ETHER)
    chain.at(1, 10).commit()
    chain.at(2, 1).commit(equal_shares(chain))
    chain.deposit(A, 5 * ETHER)
    chain.at(3, 1).commit({chain.ether: third})
    opened(chain)


def test_an_honest_withdrawal_can_be_answered_for_by_anybody(base: Chain) -> None:
    base.at(3, 10)
    base.send(base.request(A, 4 * ETHER), A, value=BOND)
    base.at(4, 1).commit({base.ether: [(A.address, 6 * ETHER), (B.address, 10 * ETHER)]})
    base.at(4, 16)
    call = challenge_allotment(base, base.allotment(3, base.ether, A.address))
    base.send(call, A, value=STAKE)
    base.send(answer_state_update(base, A, base.allotment(4, base.ether, A.address)), OPERATOR)


def _spent(chain: Chain) -> tuple[State, bytes]:
    """A's state of eon 2, in which it spent 3, and a transfer set's leaf."""
    leaf = b"\x11" * 32
    return State(chain, A, trail=0, eon=2, leaves=(leaf,), spent=3 * ETHER), leaf


def _challenged_with_state(chain: Chain, member: Member) -> State:
    """A challenges its signed state of eon 2 while root(3) holds `member` for A."""
    chain.at(1, 2).deposit(A, 10 * ETHER)
    chain.deposit(B, 10 * ETHER)
    chain.at(1, 10).commit()
    chain.at(2, 1).commit(equal_shares(chain))
    state, _ = _spent(chain)
    rest = 20 * ETHER - member.balance
    chain.at(3, 1).commit({chain.ether: [member, Member(B.address, rest)]})
    chain.at(3, 16)
    leaf = chain.allotment(2, chain.ether, A.address)
    chain.send(challenge_allotment(chain, leaf, state), A, value=STAKE)
    return state


def test_an_older_state_is_no_answer(chain: Chain) -> None:
    older = replace(_spent(chain)[0], spent=2 * ETHER)
    _challenged_with_state(chain, older.member(8 * ETHER))
    leaf = chain.allotment(3, chain.ether, A.address)
    assert chain.reason(answer_state_update(chain, A, leaf, older), OPERATOR) == "x"


def test_an_answer_needs_both_signatures(chain: Chain) -> None:
    state = _challenged_with_state(chain, _spent(chain)[0].member(7 * ETHER))
    leaf = chain.allotment(3, chain.ether, A.address)
    for signers in ((OPERATOR, OPERATOR), (A, A), (B, OPERATOR)):
        call = answer_state_update(chain, A, leaf, state, signers=signers)
        assert chain.reason(call, OPERATOR) == "A"


def test_less_than_what_is_due_is_no_answer(chain: Chain) -> None:
    state = _challenged_with_state(chain, _spent(chain)[0].member(6 * ETHER))
    leaf = chain.allotment(3, chain.ether, A.address)
    assert chain.reason(answer_state_update(chain, A, leaf, state), OPERATOR) == "B"


def test_a_leaf_with_another_set_is_no_answer(chain: Chain) -> None:
    other = replace(_spent(chain)[0], leaves=(b"\x22" * 32,))
    state = _challenged_with_state(chain, other.member(7 * ETHER))
    leaf = chain.allotment(3, chain.ether, A.address)
    assert chain.reason(answer_state_update(chain, A, leaf, state), OPERATOR) == "m"


def test_an_answer_publishes_the_leaf_its_proof_and_the_operators_signature(chain: Chain) -> None:
    state = _challenged_with_state(chain, _spent(chain)[0].member(7 * ETHER))
    leaf = chain.allotment(3, chain.ether, A.address)
    r, s, v = state.signed_by(OPERATOR)
    outcome = chain.send(answer_state_update(chain, A, leaf, state), D)
    assert outcome.named("StateUpdate") == [
        {
            "token": checksum(chain.ether),
            "account": checksum(A.address),
            "eon": 3,
            "trail": 0,
            "allotmentChain": leaf.allotment_chain,
            "membershipChain": leaf.membership_chain,
            "values": leaf.values,
            "lrDeltasPassiveMark": [list(leaf.interval), state.deltas, [0, 0]],
            "activeStateChecksum": state.digest,
            "passiveChecksum": bytes(32),
            "r": r,
            "s": s,
            "v": v,
        }
    ]


def test_a_newer_state_answers_with_what_it_leaves(chain: Chain) -> None:
    newer = replace(_spent(chain)[0], spent=5 * ETHER, gained=ETHER)
    _challenged_with_state(chain, newer.member(6 * ETHER))
    leaf = chain.allotment(3, chain.ether, A.address)
    chain.send(answer_state_update(chain, A, leaf, newer), OPERATOR)


def test_a_state_with_zero_totals_and_an_order_can_be_proven(chain: Chain) -> None:
    chain.at(1, 10).commit()
    chain.at(2, 10).commit({chain.ether: [(A.address, 0)]})
    ordered = State(chain, A, trail=0, eon=2, leaves=(b"\x33" * 32,))
    chain.at(3, 1).commit({chain.ether: [ordered.member(0)]})
    chain.at(3, 16)
    chain.send(challenge_agreement(State(chain, A, trail=0, eon=2)), A, value=STAKE)
    leaf = chain.allotment(3, chain.ether, A.address)
    unsigned = answer_state_update(chain, A, leaf, ordered, signers=(B, OPERATOR))
    assert chain.reason(unsigned, OPERATOR) == "A"
    chain.send(answer_state_update(chain, A, leaf, ordered), OPERATOR)


def test_a_wallet_without_an_allotment_challenges_with_its_admission(chain: Chain) -> None:
    chain.at(1, 10).commit()
    admitted = State(chain, A, trail=0, eon=2)
    chain.at(2, 5).deposit(A, 3 * ETHER)
    chain.commit()
    chain.at(3, 1).commit({chain.ether: [(A.address, 3 * ETHER)]})
    chain.at(3, 16)
    unsigned = challenge_agreement(admitted, signer=A)
    assert chain.reason(unsigned, A, value=STAKE) == "A"
    assert chain.reason(challenge_agreement(admitted), B, value=STAKE) == "A"
    chain.send(challenge_agreement(admitted), A, value=STAKE)
    answer = answer_state_update(chain, A, chain.allotment(3, chain.ether, A.address))
    chain.send(answer, OPERATOR)


def test_a_state_of_another_eon_opens_nothing(base: Chain) -> None:
    base.at(3, 16)
    leaf = base.allotment(2, base.ether, A.address)
    old = State(base, A, trail=0, eon=1, spent=1)
    assert base.reason(challenge_allotment(base, leaf, old), A, value=STAKE) == "A"


def test_unknown_tokens_cannot_be_challenged(base: Chain) -> None:
    base.at(3, 16)
    leaf = base.allotment(2, base.ether, A.address)
    call = challenge_allotment(base, leaf, token=D.address)
    assert base.reason(call, A, value=STAKE) == "t"


def test_an_answer_without_a_challenge_is_refused(base: Chain) -> None:
    base.at(3, 16)
    answer = answer_state_update(base, A, base.allotment(3, base.ether, A.address))
    assert base.reason(answer, OPERATOR) == "none"


def test_a_challenge_may_precede_the_checkpoint_that_answers_it(base: Chain) -> None:
    base.at(4, 16)
    call = challenge_allotment(base, base.allotment(3, base.ether, A.address))
    base.send(call, A, value=STAKE)
    assert base.functions.getCheckpointAtSlot(4).call() == [4, bytes(32), 1]
    base.commit(equal_shares(base))
    assert live(base, 4) == 1
    base.send(answer_state_update(base, A, base.allotment(4, base.ether, A.address)), OPERATOR)


def test_nothing_opens_after_the_halt_and_everybody_recovers(base: Chain) -> None:
    root = base.functions.getCheckpointAtSlot(2).call()
    base.at(7, 16)
    forged = State(base, OPERATOR, trail=0, eon=6, spent=1)
    assert base.reason(challenge_agreement(forged), OPERATOR, value=STAKE) == "p"
    assert base.functions.getCheckpointAtSlot(2).call() == root
    for wallet in (A, B):
        base.send(base.recover(wallet, base.allotment(2, base.ether, wallet.address)), D)
    assert base.balance() == 0


def test_the_bond_does_not_lift_the_bound(base: Chain) -> None:
    base.at(4, 1).commit({base.ether: [(A.address, 10 * ETHER), (B.address, 14 * ETHER)]})
    base.at(5, 16)
    call = challenge_allotment(base, base.allotment(4, base.ether, A.address))
    assert base.reason(call, A, value=5 * ETHER) == "b"


@pytest.mark.parametrize("surplus", [2, 1 << 40])
def test_a_trail_longer_than_the_proof_is_no_proof(base: Chain, surplus: int) -> None:
    base.at(3, 16)
    leaf = base.allotment(2, base.ether, A.address)
    call = challenge_allotment(base, replace(leaf, trail=leaf.trail + surplus))
    assert base.reason(call, A, value=STAKE) == "m"
