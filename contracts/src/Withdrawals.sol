// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Allotments} from "./Allotments.sol";
import {Assets} from "./Assets.sol";
import {Clock} from "./Clock.sol";
import {CommitChainEvents} from "./CommitChainEvents.sol";
import {Aggregate, EONS_KEPT_, Ledger, MIN_BOND_GAS_PRICE} from "./LedgerTypes.sol";
import {Signatures} from "./Signatures.sol";
import {Totals} from "./Totals.sol";

/// @title Withdrawals: asked for, paid, or slashed
/// @dev Deployed on its own and reached by delegate call from the commit-chain.
library Withdrawals {
    using Clock for Ledger;
    using Totals for *;

    /// @dev Gas that a withdrawal request's bond has to cover.
    uint256 private constant REQUEST_GAS = 100_100;

    /// @notice A request of the caller, proven against the checkpoint of the previous eon.
    function request(
        Ledger storage ledger,
        address token,
        bytes32[2] calldata checksums,
        uint64 trail,
        bytes32[] calldata allotmentChain,
        bytes32[] calldata membershipChain,
        uint256[] calldata values,
        uint256[2][2] calldata lrPassiveMark,
        uint256 amount
    ) external {
        Assets.requireBond(REQUEST_GAS, MIN_BOND_GAS_PRICE);
        ledger.requireRunning();
        uint256 eon = ledger.eon();
        require(lrPassiveMark[0][1] >= lrPassiveMark[0][0], "-");
        // The checkpoint of the previous eon knows neither that eon's requests nor this one's.
        uint256 asked = ledger.accounts[token][msg.sender].requestedBetween(eon - 1, eon);
        require(lrPassiveMark[0][1] - lrPassiveMark[0][0] >= amount + asked, "b");
        Allotments.check(
            ledger,
            token,
            msg.sender,
            checksums,
            trail,
            [eon - 1, lrPassiveMark[1][0], lrPassiveMark[1][1]],
            allotmentChain,
            membershipChain,
            values,
            lrPassiveMark[0]
        );
        queue(ledger, token, msg.sender, eon, amount);
        Assets.forwardBond(ledger.operator);
    }

    /// @notice A request without proof, carried by one signature over (expiry, cumulative amount):
    /// the operator's for the caller's own request, the holder's for one that the operator sends.
    function requestSigned(
        Ledger storage ledger,
        address token,
        address holder,
        uint256 amount,
        uint256 expiry,
        address attester,
        bytes32[2] calldata rs,
        uint8 v
    ) external {
        ledger.requireRunning();
        require(block.number <= expiry, "expired");
        uint256 eon = ledger.eon();
        uint256 asked = ledger.accounts[token][holder].requestedBetween(eon, eon);
        bytes32 digest = Signatures.twoNumbers(token, holder, expiry, amount + asked);
        require(Signatures.isSignedBy(attester, digest, rs[0], rs[1], v), "a");
        require(!ledger.usedAuthorizations[digest], "a");
        ledger.usedAuthorizations[digest] = true;
        queue(ledger, token, holder, eon, amount);
    }

    /// @notice Pays every matured request of `recipient`, oldest first.
    /// @return amount what was paid; 0, and nothing changed, if nothing is payable
    function confirm(Ledger storage ledger, address token, address recipient)
        external
        returns (uint256 amount)
    {
        ledger.requireRunning();
        uint256 eon = ledger.eon();
        Aggregate[] storage requests = ledger.accounts[token][recipient].withdrawals;
        uint256 matured = 0;
        for (; matured < requests.length; matured++) {
            Aggregate memory oldest = requests[matured];
            if (!isPayable(ledger, oldest.eon, eon)) break;
            amount += oldest.amount;
        }
        dropOldest(requests, matured);
        if (amount == 0) return 0;
        ledger.pending[token].deductRunning(eon, eon, amount);
        Totals.add(ledger.confirmed[token][eon % EONS_KEPT_], eon, amount);
        emit CommitChainEvents.WithdrawalConfirmation(token, recipient, amount);
        Assets.pay(token, recipient, amount);
    }

    /// @notice Cancels the requests of `withdrawer` that a checkpoint has not deducted yet, on the
    /// proof that together they exceed what the withdrawer declared to keep available.
    /// @param markerEonAvailable [eon, amount] of the marker
    /// @return slashed [amount of the previous eon, amount of the current eon]
    function slash(
        Ledger storage ledger,
        address token,
        address withdrawer,
        uint256[2] calldata markerEonAvailable,
        bytes32[2] calldata rs,
        uint8 v
    ) external returns (uint256[2] memory slashed) {
        ledger.requireRunning();
        require(msg.sender == ledger.operator, "operator");
        uint256 eon = ledger.eon();
        require(markerEonAvailable[0] <= eon && eon - markerEonAvailable[0] <= 2, "m");
        bytes32 marker = Signatures.twoNumbers(
            token, withdrawer, markerEonAvailable[0], markerEonAvailable[1]
        );
        require(Signatures.isSignedBy(withdrawer, marker, rs[0], rs[1], v), "marker");
        slashed = dropUndeducted(ledger, ledger.accounts[token][withdrawer].withdrawals, eon);
        require(slashed[0] + slashed[1] > markerEonAvailable[1], "covered");
        if (slashed[1] > 0) cancel(ledger, token, withdrawer, eon, eon, slashed[1]);
        if (slashed[0] > 0) cancel(ledger, token, withdrawer, eon - 1, eon, slashed[0]);
        emit CommitChainEvents.WithdrawalSlashed(token, withdrawer, eon, slashed[0], slashed[1]);
    }

    /// @dev Records a request, whoever vouched for it.
    function queue(
        Ledger storage ledger,
        address token,
        address holder,
        uint256 eon,
        uint256 amount
    ) private {
        require(holder != address(0), "zero");
        require(Assets.isKnown(ledger, token), "t");
        ledger.pending[token].addRunning(eon, amount);
        require(ledger.pending[token].exactly(eon) <= Assets.held(token), "b");
        ledger.accounts[token][holder].withdrawals.push(Totals.pack(eon, amount));
        ledger.accumulate(eon, token, holder, Totals.WITHDRAWAL_REQUEST, amount);
        emit CommitChainEvents.WithdrawalRequest(token, holder, amount);
    }

    /// @dev The calendar alone would pay requests whose deduction no usable root contains: after a
    /// halt the older root would pay them again.
    function isPayable(Ledger storage ledger, uint256 requestEon, uint256 eon)
        private
        view
        returns (bool)
    {
        if (requestEon + 2 > ledger.lastSubmissionEon) return false;
        return requestEon + 2 < eon
            || (requestEon + 2 == eon && ledger.era() >= ledger.extendedEpoch());
    }

    /// @dev Removes the oldest `count` requests and keeps the rest in order.
    function dropOldest(Aggregate[] storage requests, uint256 count) private {
        if (count == 0) return;
        uint256 kept = requests.length - count;
        for (uint256 i = 0; i < kept; i++) {
            requests[i] = requests[i + count];
        }
        for (uint256 i = 0; i < count; i++) {
            requests.pop();
        }
    }

    /// @dev Requests of the previous eon count only until the checkpoint of the current one is
    /// there: that root has deducted them, and nothing could be answered for it once they are gone.
    function dropUndeducted(Ledger storage ledger, Aggregate[] storage requests, uint256 eon)
        private
        returns (uint256[2] memory dropped)
    {
        uint256 oldest = ledger.lastSubmissionEon < eon ? eon - 1 : eon;
        while (requests.length > 0) {
            Aggregate memory newest = requests[requests.length - 1];
            if (newest.eon < oldest) break;
            dropped[newest.eon == eon ? 1 : 0] += newest.amount;
            requests.pop();
        }
    }

    /// @dev Takes cancelled requests of one eon off the running total, and writes that down.
    function cancel(
        Ledger storage ledger,
        address token,
        address holder,
        uint256 requestEon,
        uint256 eon,
        uint256 amount
    ) private {
        ledger.pending[token].deductRunning(requestEon, eon, amount);
        ledger.accumulate(requestEon, token, holder, Totals.WITHDRAWAL_CANCELLATION, amount);
    }
}
