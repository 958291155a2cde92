"""Delivery challenges of a real operator: every tag that a wallet can name, both openers."""

import pytest
from sqlalchemy import select, update

from duties.challenges import Standing
from ledger.challenges.deliveries import ACTIVE, PASSIVE
from models import ActiveState, Transfer, WalletEon
from protocol.editions import ContractEdition
from protocol.states import active_state_digest
from protocol.transfers import LAST_POSITION, tagged_transfer_leaf, transfer_tag
from tests.challenges.challenging import Challengers
from tests.challenges.live import LiveBank, LiveWorld
from tests.ledger.world import ETH, key
from wallet.errors import ChainFailure

HARDENED, PUBLISHED = ContractEdition.HARDENED, ContractEdition.PUBLISHED


@pytest.fixture
def paid(world: LiveWorld, bank: LiveBank) -> None:
    """Ann paid Bob 100, Cas 0, Bob 30 and Bob 5 in eon 1; Dee paid Bob 7 in between."""
    for name in ("ann", "bob", "cas", "dee"):
        world.admit(name)
    for name in ("ann", "dee"):
        world.deposit(name, 1_000)
    bank.checkpoint(1)
    bank.must_pay("ann", "bob", 100, 1)
    bank.must_pay("ann", "cas", 0, 2)
    bank.must_pay("dee", "bob", 7, 3)
    bank.must_pay("ann", "bob", 30, 4)
    bank.must_pay("ann", "bob", 5, 5)
    bank.turn()
    world.move_to_challenges()


@pytest.mark.parametrize("edition", ContractEdition)
@pytest.mark.usefixtures("paid")
def test_a_passive_transfer_is_found_by_the_hash_of_its_position_and_nonce(
    world: LiveWorld, challengers: Challengers
) -> None:
    challengers.dispute_delivery("bob", "ann", "bob", 4, newest=False)
    challengers.dispute_delivery("cas", "ann", "cas", 2, newest=False)
    tags = [row.delivered_tx_nonce for row in world.challenges()]
    assert tags == [transfer_tag(107, 4), transfer_tag(0, 2)]
    trials = world.answer_all()
    assert [trial.tried[-1].variant for trial in trials] == [PASSIVE, PASSIVE]
    assert world.live() == 0
    assert {row.status for row in world.challenges()} == {"answered"}


@pytest.mark.only_on(HARDENED)
@pytest.mark.usefixtures("paid")
def test_any_passive_transfer_is_answered_under_the_tag_that_its_sender_signed(
    world: LiveWorld, challengers: Challengers
) -> None:
    # The state in which the transfer was the newest, by the sender and by the recipient.
    challengers.dispute_delivery("ann", "ann", "bob", 1, newest=True)
    challengers.dispute_delivery("bob", "ann", "bob", 5, newest=True)
    assert {row.delivered_tx_nonce for row in world.challenges()} == {
        transfer_tag(LAST_POSITION, 1),
        transfer_tag(LAST_POSITION, 5),
    }
    world.answer_all()
    # The sender's committed leaf, whose marker is the true position.
    challengers.dispute_committed_delivery("bob", "ann", "bob", 5)
    assert world.challenges()[-1].delivered_tx_nonce == transfer_tag(137, 5)
    world.answer_all()
    assert world.live() == 0
    assert [row.status for row in world.challenges()] == ["answered"] * 3


@pytest.mark.parametrize("edition", [PUBLISHED])
@pytest.mark.usefixtures("paid")
def test_the_published_contract_takes_no_answer_to_a_newest_leaf_and_people_hear_why(
    world: LiveWorld, challengers: Challengers
) -> None:
    with pytest.raises(ChainFailure):
        challengers.dispute_committed_delivery("bob", "ann", "bob", 5)
    challengers.dispute_delivery("bob", "ann", "bob", 5, newest=True)
    [row] = world.challenges()
    trial = world.try_answers(row.id)
    assert (trial.standing, trial.status) == (Standing.UNANSWERABLE, "open")
    by_variant = {tried.variant: tried for tried in trial.tried}
    assert by_variant[PASSIVE].objection == (
        "this contract knows no answer to the tag of a newest leaf"
    )
    assert by_variant[PASSIVE].reason and by_variant[ACTIVE].reason
    assert world.live() == 1


@pytest.mark.only_on(HARDENED)
@pytest.mark.usefixtures("paid")
def test_a_senders_challenge_behind_the_recipients_is_answered_too(
    world: LiveWorld, challengers: Challengers
) -> None:
    challengers.dispute_delivery("ann", "ann", "bob", 1, newest=False)
    challengers.dispute_delivery("bob", "ann", "bob", 4, newest=False)
    assert world.live() == 2
    senders, recipients = world.challenges()
    assert (senders.delivered_tx_nonce, recipients.delivered_tx_nonce) == (
        transfer_tag(0, 1),
        transfer_tag(107, 4),
    )
    assert [row.cleared_block for row in world.challenges()] == [None, None]
    # The contract shows the recipient's; an answer to the sender's finds it all the same.
    world.answer(senders.id)
    senders, recipients = world.challenges()
    assert (senders.cleared_block is None, recipients.cleared_block) == (False, None)
    assert world.try_answers(senders.id, 2).standing == Standing.CLEARED
    # While that answer gains depth the sender opens once more.
    challengers.dispute_delivery("ann", "ann", "bob", 5, newest=True)
    rows = world.challenges()
    assert [row.cleared_block is None for row in rows] == [False, True, True]
    assert world.live() == 2
    world.answer(recipients.id)
    world.answer(rows[2].id)
    world.settle()
    assert world.live() == 0
    assert [row.status for row in world.challenges()] == ["answered"] * 3


@pytest.mark.only_on(HARDENED)
@pytest.mark.usefixtures("paid")
def test_two_challenges_of_a_pair_in_one_block_are_told_apart_once_one_is_answered(
    world: LiveWorld, challengers: Challengers
) -> None:
    challengers.in_one_block(
        lambda: challengers.dispute_delivery("ann", "ann", "bob", 1, newest=False),
        lambda: challengers.dispute_delivery("bob", "ann", "bob", 4, newest=False),
    )
    assert len({row.issue_block for row in world.challenges()}) == 1 and world.live() == 2
    first, second = world.challenges()
    assert (first.delivered_tx_nonce, second.delivered_tx_nonce) == (transfer_tag(107, 4), None)
    assert world.try_answers(second.id).standing == Standing.WAIT
    world.answer(first.id)
    world.answer(second.id)
    world.settle()
    assert [row.status for row in world.challenges()] == ["answered"] * 2
    assert world.live() == 0


@pytest.mark.parametrize("edition", ContractEdition)
def test_a_transfer_that_its_recipient_signed_is_shown_in_the_recipients_set(
    world: LiveWorld, bank: LiveBank, challengers: Challengers
) -> None:
    for name in ("ann", "bob"):
        world.admit(name)
    world.deposit("ann", 1_000)
    bank.checkpoint(1)
    pay_actively(world, bank, "ann", "bob", 300, 77)
    bank.turn()
    assert bank.balances("bob").allotment == 300
    world.move_to_challenges()
    challengers.dispute_delivery("bob", "ann", "bob", 77, newest=True)
    assert world.challenges()[0].delivered_tx_nonce == 77
    [trial] = world.answer_all()
    assert trial.tried[-1].variant == ACTIVE
    assert world.live() == 0


def pay_actively(
    world: LiveWorld, bank: LiveBank, sender: str, recipient: str, amount: int, nonce: int
) -> None:
    """A transfer that both wallets signed for, as older operators let them: rows by hand."""
    payer, payee = bank.wallet(sender), bank.wallet(recipient)
    eon = world.eon
    with world.begin() as session:
        states = []
        for name, wallet, other, spent, gained in (
            (sender, payer, payee, amount, 0),
            (recipient, payee, payer, 0, amount),
        ):
            root = tagged_transfer_leaf(
                counterparty=bytes(other.address),
                amount=amount,
                recipient_trail=payee.trail_identifier or 0,
                tag=nonce,
            )
            digest = active_state_digest(
                contract=world.rules.contract,
                token=ETH,
                wallet=bytes(wallet.address),
                trail=wallet.trail_identifier or 0,
                eon=eon,
                tx_set_root=root,
                spent=spent,
                gained=gained,
            )
            state = ActiveState(
                wallet_id=wallet.id,
                eon=eon,
                spent=spent,
                gained=gained,
                tx_set_hash=root,
                tx_set_index=0,
                tx_set_proof_hashes=b"",
                wallet_signature=key(name).sign(digest),
                operator_signature=world.rules.operator.sign(digest),
            )
            session.add(state)
            states.append(state)
        session.flush()
        transfer = Transfer(
            sender_id=payer.id,
            recipient_id=payee.id,
            amount=amount,
            eon=eon,
            nonce=nonce,
            passive=False,
            sender_active_state_id=states[0].id,
            recipient_active_state_id=states[1].id,
            appended=True,
            processed=True,
            complete=True,
        )
        session.add(transfer)
        session.flush()
        for wallet, state in ((payer, states[0]), (payee, states[1])):
            found = session.scalars(
                select(WalletEon).where(WalletEon.wallet_id == wallet.id, WalletEon.eon == eon)
            ).one_or_none()
            account = found or WalletEon(wallet_id=wallet.id, eon=eon, allotment=0)
            session.add(account)
            account.spent, account.gained = state.spent, state.gained
            account.entry_count, account.last_transfer_id = 1, transfer.id
            account.last_state_id, account.last_leaf = state.id, bytes(state.tx_set_hash)


@pytest.mark.only_on(HARDENED)
@pytest.mark.usefixtures("paid")
def test_what_the_ledger_has_lost_is_said_and_delays_no_other(
    world: LiveWorld, challengers: Challengers
) -> None:
    challengers.dispute_delivery("bob", "ann", "bob", 1, newest=False)
    challengers.dispute_delivery("bob", "dee", "bob", 3, newest=True)
    lost, other = world.challenges()
    with world.begin() as session:
        session.execute(update(Transfer).where(Transfer.nonce == 1).values(nonce=999))
    trial = world.try_answers(lost.id)
    assert trial.standing == Standing.UNANSWERABLE
    assert "no receipt has this tag and amount" in trial.reason
    broken = world.try_answers(other.id)
    # Its tree holds the altered receipt too: the contract's own reason is shown.
    assert {tried.letter for tried in broken.tried} == {"n", ""}
    with world.begin() as session:
        session.execute(update(Transfer).where(Transfer.nonce == 999).values(nonce=1))
    world.answer_all()
    assert world.live() == 0
