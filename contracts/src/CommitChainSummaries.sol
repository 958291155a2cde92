// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Assets} from "./Assets.sol";
import {Clock} from "./Clock.sol";
import {CommitChainState} from "./CommitChainState.sol";
import {Account, Aggregate, Checkpoint, EONS_KEPT_, Ledger} from "./LedgerTypes.sol";
import {Totals} from "./Totals.sol";

/// @title What wallets and the operator read in one call each
/// @dev Never reverts because of a halt.
abstract contract CommitChainSummaries is CommitChainState {
    using Clock for Ledger;
    using Totals for *;

    /// @notice What a wallet needs to know, in one call.
    /// @return latestCheckpointEonNumber eon of the newest checkpoint
    /// @return latestCheckpointsMerkleRoots roots in the slots of that eon and the four before it
    /// @return latestCheckpointsLiveChallenges unanswered challenges in the same slots
    /// @return currentEonDeposits the holder's deposits of this eon
    /// @return previousEonDeposits of the eon before
    /// @return secondPreviousEonDeposits of the eon before that
    /// @return pendingWithdrawals every unpaid request as [eon, amount], oldest first
    /// @return holderBalance what the holder owns on the parent chain
    function getClientContractStateVariables(address token, address holder)
        external
        view
        returns (
            uint256 latestCheckpointEonNumber,
            bytes32[5] memory latestCheckpointsMerkleRoots,
            uint256[5] memory latestCheckpointsLiveChallenges,
            uint256 currentEonDeposits,
            uint256 previousEonDeposits,
            uint256 secondPreviousEonDeposits,
            uint256[2][] memory pendingWithdrawals,
            uint256 holderBalance
        )
    {
        uint256 eon = ledger.eon();
        latestCheckpointEonNumber = ledger.lastSubmissionEon;
        for (uint256 i = 0; i < EONS_KEPT_ && i < eon && i <= latestCheckpointEonNumber; i++) {
            Checkpoint storage slot =
                ledger.checkpoints[(latestCheckpointEonNumber - i) % EONS_KEPT_];
            latestCheckpointsMerkleRoots[i] = slot.merkleRoot;
            latestCheckpointsLiveChallenges[i] = slot.liveChallenges;
        }
        Account storage account = ledger.accounts[token][holder];
        currentEonDeposits = account.depositedIn(eon);
        if (eon > 1) previousEonDeposits = account.depositedIn(eon - 1);
        if (eon > 2) secondPreviousEonDeposits = account.depositedIn(eon - 2);
        pendingWithdrawals = new uint256[2][](account.withdrawals.length);
        for (uint256 i = 0; i < pendingWithdrawals.length; i++) {
            Aggregate memory asked = account.withdrawals[i];
            pendingWithdrawals[i] = [uint256(asked.eon), asked.amount];
        }
        holderBalance = Assets.balanceOf(token, holder);
    }

    /// @notice What the operator needs to know, in one call.
    /// @return parentChainAccumulator of the current eon
    /// @return lastSubmissionEon eon of the newest checkpoint
    /// @return lastCheckpointRoot its root
    /// @return isCheckpointSubmitted whether that is the current eon
    /// @return missedCheckpointSubmission whether a whole eon passed without one
    /// @return liveChallenges unanswered challenges of the current eon
    function getServerContractStateVariables()
        external
        view
        returns (
            bytes32 parentChainAccumulator,
            uint256 lastSubmissionEon,
            bytes32 lastCheckpointRoot,
            bool isCheckpointSubmitted,
            bool missedCheckpointSubmission,
            uint256 liveChallenges
        )
    {
        uint256 eon = ledger.eon();
        uint256 newest = ledger.lastSubmissionEon;
        return (
            ledger.accumulators[eon % EONS_KEPT_],
            newest,
            ledger.checkpoints[newest % EONS_KEPT_].merkleRoot,
            newest == eon,
            ledger.missed(),
            ledger.liveChallenges(eon)
        );
    }

    /// @notice What is recorded for a token in exactly `eonNumber`, and what is held now.
    /// @return pendingWithdrawals recorded running total; 0 if that eon has no record
    /// @return confirmedWithdrawals paid in that eon
    /// @return deposits deposited in that eon
    /// @return totalBalance what the commit-chain holds at present
    function getServerContractLedgerStateVariables(uint256 eonNumber, address token)
        external
        view
        returns (
            uint256 pendingWithdrawals,
            uint256 confirmedWithdrawals,
            uint256 deposits,
            uint256 totalBalance
        )
    {
        return (
            ledger.pending[token].exactly(eonNumber),
            ledger.confirmed[token].exactly(eonNumber),
            ledger.deposits[token].exactly(eonNumber),
            Assets.balanceOf(token, address(this))
        );
    }
}
