// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Allotments} from "./Allotments.sol";
import {Assets} from "./Assets.sol";
import {Clock} from "./Clock.sol";
import {CommitChainEvents} from "./CommitChainEvents.sol";
import {Account, Aggregate, DEPOSITS_KEPT_, EONS_KEPT_, Ledger} from "./LedgerTypes.sol";
import {Totals} from "./Totals.sol";

/// @title Recovery: everybody's money back after the halt
/// @dev Deployed on its own and reached by delegate call from the commit-chain.
library Recovery {
    using Clock for Ledger;
    using Totals for *;

    /// @notice Pays what the last usable checkpoint does not contain: deposits since, and requests
    /// that it has deducted. May be repeated; then pays 0.
    function recoverParentChain(Ledger storage ledger, address token, address holder)
        external
        returns (uint256 reclaimed)
    {
        ledger.requireHalted();
        require(holder != address(0), "zero");
        reclaimed = reclaim(ledger, token, holder);
        if (ledger.lastSubmissionEon > 0) book(ledger, token, usableEon(ledger), reclaimed);
        payOut(ledger, token, holder, reclaimed);
    }

    /// @notice Pays the allotment of the last usable checkpoint and what that does not contain.
    /// @param passiveMark [ignored, passive amount, passive mark]
    function recoverAll(
        Ledger storage ledger,
        address token,
        address holder,
        bytes32[2] calldata checksums,
        uint64 trail,
        bytes32[] calldata allotmentChain,
        bytes32[] calldata membershipChain,
        uint256[] calldata values,
        uint256[2] calldata edges,
        uint256[3] calldata passiveMark
    ) external returns (uint256 recovered) {
        ledger.requireHalted();
        require(holder != address(0), "zero");
        Account storage account = ledger.accounts[token][holder];
        require(!account.recovered, "a");
        account.recovered = true;
        require(edges[1] >= edges[0], "-");
        recovered = edges[1] - edges[0] + reclaim(ledger, token, holder);
        uint256 eon = usableEon(ledger);
        Allotments.check(
            ledger,
            token,
            holder,
            checksums,
            trail,
            [eon, passiveMark[1], passiveMark[2]],
            allotmentChain,
            membershipChain,
            values,
            edges
        );
        book(ledger, token, eon, recovered);
        payOut(ledger, token, holder, recovered);
    }

    /// @dev The newest root may be the fraudulent one, so the one before it counts.
    function usableEon(Ledger storage ledger) private view returns (uint256) {
        return ledger.lastSubmissionEon > 0 ? ledger.lastSubmissionEon - 1 : 0;
    }

    /// @dev Booked under the usable eon to keep the bound true for the next claimant.
    function book(Ledger storage ledger, address token, uint256 eon, uint256 amount) private {
        Totals.add(ledger.confirmed[token][eon % EONS_KEPT_], eon, amount);
    }

    /// @dev Clears and sums the deposits since the usable checkpoint and the requests that are final.
    /// Younger requests are void: their money is still in the allotment.
    function reclaim(Ledger storage ledger, address token, address holder)
        private
        returns (uint256 amount)
    {
        Account storage account = ledger.accounts[token][holder];
        uint256 last = ledger.lastSubmissionEon;
        for (uint256 i = 0; i < DEPOSITS_KEPT_; i++) {
            Aggregate memory deposited = account.deposits[i];
            if (uint256(deposited.eon) + 1 < last) continue;
            amount += deposited.amount;
            delete account.deposits[i];
        }
        for (uint256 i = 0; i < account.withdrawals.length; i++) {
            Aggregate memory asked = account.withdrawals[i];
            if (uint256(asked.eon) + 2 > last) break;
            amount += asked.amount;
            delete account.withdrawals[i];
        }
    }

    /// @dev Announces and pays; comes last.
    function payOut(Ledger storage ledger, address token, address holder, uint256 amount) private {
        require(Assets.isKnown(ledger, token), "t");
        emit CommitChainEvents.FundsRecovered(token, holder, amount);
        Assets.pay(token, holder, amount);
    }
}
