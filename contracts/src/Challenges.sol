// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Assets} from "./Assets.sol";
import {Clock} from "./Clock.sol";
import {CommitChainEvents} from "./CommitChainEvents.sol";
import {Challenge, Checkpoint, EONS_KEPT_, Ledger} from "./LedgerTypes.sol";

/// @title What all challenges have in common: when they open, when they close, who is counted
library Challenges {
    using Clock for Ledger;

    uint8 internal constant NONE = 0;
    uint8 internal constant STATE_UPDATE = 1;
    uint8 internal constant DELIVERY = 2;
    uint8 internal constant SWAP = 3;

    /// @notice Reverts unless challenges about `token` may be opened at all.
    /// @dev A halted commit-chain must not write to its checkpoints any more: recovery rests on them.
    function requireOpenable(Ledger storage ledger, address token) internal view {
        ledger.requireRunning();
        require(Assets.isKnown(ledger, token), "t");
    }

    /// @notice Reverts unless `entry` is free and was not used in this eon yet.
    function requireUnused(Ledger storage ledger, Challenge storage entry) internal view {
        require(entry.kind == NONE, "open");
        require(uint256(entry.initialStateEon) + 1 < ledger.eon(), "used");
    }

    /// @notice Writes `challenge` about the eon before this one into a free `entry` and counts it.
    /// @param token the conduit in place of a token for swaps
    function open(
        Ledger storage ledger,
        address token,
        address recipient,
        address sender,
        Challenge storage entry,
        Challenge memory challenge
    ) internal {
        uint256 eon = ledger.eon();
        require(eon > 1 && ledger.era() > ledger.epoch(), "early");
        entry.kind = challenge.kind;
        entry.openedAt = uint64(block.number);
        entry.initialStateEon = uint64(eon - 1);
        entry.trail = challenge.trail;
        entry.initialStateBalance = challenge.initialStateBalance;
        entry.spendings = challenge.spendings;
        entry.gains = challenge.gains;
        entry.finalStateBalance = challenge.finalStateBalance;
        entry.nonce = challenge.nonce;
        count(ledger.checkpoints[eon % EONS_KEPT_], eon);
        emit CommitChainEvents.ChallengeIssued(token, recipient, sender);
    }

    /// @notice Clears `entry`, which keeps only the eon it was about, and takes it off the count.
    /// @dev Reverts `late` after the deadline. Comes last in every answer.
    function close(
        Ledger storage ledger,
        address token,
        address recipient,
        address sender,
        Challenge storage entry
    ) internal {
        uint256 about = entry.initialStateEon;
        requireInTime(ledger, entry.openedAt, about);
        delete entry.kind;
        delete entry.openedAt;
        delete entry.trail;
        delete entry.initialStateBalance;
        delete entry.spendings;
        delete entry.gains;
        delete entry.finalStateBalance;
        delete entry.nonce;
        ledger.checkpoints[(about + 1) % EONS_KEPT_].liveChallenges -= 1;
        emit CommitChainEvents.ChallengeAnswered(token, recipient, sender);
    }

    /// @dev The checkpoint of this eon may still be missing; its slot then starts without a root.
    function count(Checkpoint storage slot, uint256 eon) private {
        if (slot.eon == eon) {
            slot.liveChallenges += 1;
        } else {
            slot.eon = uint128(eon);
            slot.liveChallenges = 1;
            slot.merkleRoot = 0;
        }
    }

    /// @dev `late` unless fewer blocks than the slack period have passed, and over the border of an
    /// eon only within its slack period.
    function requireInTime(Ledger storage ledger, uint256 openedAt, uint256 about) private view {
        uint256 slack = ledger.epoch();
        require(block.number - openedAt < slack, "late");
        uint256 eon = ledger.eon();
        require(about + 1 == eon || (about + 2 == eon && ledger.era() < slack), "late");
    }
}
