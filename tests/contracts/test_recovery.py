"""Recovery after the halt: everybody gets exactly what is theirs, once, on a real node."""

from .harness import BOND, ETHER, A, B, Chain, D, checksum


def _halted_pool(chain: Chain) -> None:
    """The pool of the story: two allotments, deposits the roots do not know, one old request."""
    chain.at(3, 10)
    chain.deposit(B, ETHER)
    chain.send(chain.request(A, 4 * ETHER), A, value=BOND)
    chain.at(4, 1).commit({chain.ether: [(A.address, 6 * ETHER), (B.address, 11 * ETHER)]})
    chain.deposit(B, 2 * ETHER)
    chain.at(5, 1).commit({chain.ether: [(A.address, 6 * ETHER), (B.address, 13 * ETHER)]})
    chain.deposit(B, 3 * ETHER)
    chain.at(6, 1).deposit(B, 4 * ETHER)


def test_all_funds_go_back_to_their_holders_to_the_last_wei(base: Chain) -> None:
    _halted_pool(base)
    ours, theirs = (base.allotment(4, base.ether, wallet.address) for wallet in (A, B))
    assert base.reason(base.recover(A, ours), A) == "f"
    base.at(7, 0)
    newest = base.allotment(5, base.ether, B.address)
    assert base.reason(base.recover(B, newest), B) == "m"
    held = base.balance(A.address)
    outcome = base.send(base.recover(A, ours), D)
    assert base.balance(A.address) == held + 10 * ETHER
    assert outcome.named("FundsRecovered") == [
        {
            "token": checksum(base.ether),
            "holder": checksum(A.address),
            "amount": 10 * ETHER,
        }
    ]
    assert base.reason(base.recover(A, ours), A) == "a"
    recovered = base.functions.getIsWalletRecovered
    assert recovered(checksum(base.ether), checksum(A.address)).call()
    assert not recovered(checksum(base.ether), checksum(B.address)).call()
    held = base.balance(B.address)
    base.send(base.recover(B, theirs), D)
    assert base.balance(B.address) == held + 20 * ETHER
    assert base.balance() == 0


def test_parent_chain_funds_may_be_recovered_first(base: Chain) -> None:
    _halted_pool(base)
    base.at(7, 0)
    only = base.functions.recoverOnlyParentChainFunds(checksum(base.ether), checksum(B.address))
    held = base.balance(B.address)
    base.send(only, D)
    assert base.balance(B.address) == held + 9 * ETHER
    base.send(only, D)
    assert base.balance(B.address) == held + 9 * ETHER
    base.send(base.recover(A, base.allotment(4, base.ether, A.address)), D)
    base.send(base.recover(B, base.allotment(4, base.ether, B.address)), D)
    assert base.balance(B.address) == held + 20 * ETHER
    assert base.balance() == 0


def test_deposits_before_any_checkpoint_come_back(chain: Chain) -> None:
    chain.at(1, 5).deposit(A, 3 * ETHER)
    chain.at(2, 0)
    only = chain.functions.recoverOnlyParentChainFunds(checksum(chain.ether), checksum(A.address))
    chain.send(only, D)
    assert chain.balance() == 0


def test_the_bound_refuses_a_checkpoint_that_allots_too_much(base: Chain) -> None:
    base.at(4, 1).commit({base.ether: [(A.address, 10 * ETHER), (B.address, 10 * ETHER + 1)]})
    base.at(5, 1)
    assert base.reason(base.request(A, ETHER), A, value=BOND) == "b"


def test_the_bound_leaves_the_bond_of_the_running_call_out(base: Chain) -> None:
    base.at(4, 1).commit({base.ether: [(A.address, 10 * ETHER), (B.address, 14 * ETHER)]})
    base.at(5, 1)
    assert base.reason(base.request(A, ETHER), A, value=5 * ETHER) == "b"
