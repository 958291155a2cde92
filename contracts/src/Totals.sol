// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Account, Aggregate, DEPOSITS_KEPT_, EONS_KEPT_, Ledger} from "./LedgerTypes.sol";

/// @title Totals per eon, the running pending total, and the parent-chain accumulator
library Totals {
    uint8 internal constant DEPOSIT = 0;
    uint8 internal constant WITHDRAWAL_REQUEST = 1;
    uint8 internal constant WITHDRAWAL_CANCELLATION = 2;

    /// @notice An aggregate whose parts fit their widths; `+` if the amount does not.
    function pack(uint256 eon, uint256 amount) internal pure returns (Aggregate memory) {
        require(amount <= type(uint224).max, "+");
        return Aggregate(uint32(eon), uint224(amount));
    }

    /// @notice Adds to the total of `eon`, starting it if the slot holds an older one.
    function add(Aggregate storage slot, uint256 eon, uint256 amount) internal {
        if (slot.eon < eon) write(slot, eon, amount);
        else write(slot, slot.eon, slot.amount + amount);
    }

    /// @notice The total of exactly `eon`; 0 if the ring no longer, or not yet, holds it.
    function exactly(Aggregate[5] storage ring, uint256 eon) internal view returns (uint256) {
        Aggregate storage slot = ring[eon % EONS_KEPT_];
        return slot.eon == eon ? slot.amount : 0;
    }

    /// @notice The sum over the slots that belong to `eon` or a later one.
    function since(Aggregate[5] storage ring, uint256 eon) internal view returns (uint256 sum) {
        for (uint256 i = 0; i < EONS_KEPT_; i++) {
            Aggregate memory slot = ring[i];
            if (slot.eon >= eon) sum += slot.amount;
        }
    }

    /// @notice The amount recorded for the greatest recorded eon up to `eon`; 0 if there is none.
    function running(Aggregate[5] storage ring, uint256 eon) internal view returns (uint256) {
        Aggregate memory best;
        for (uint256 i = 0; i < EONS_KEPT_; i++) {
            Aggregate memory slot = ring[i];
            if (slot.eon <= eon && slot.eon > best.eon) best = slot;
        }
        return best.amount;
    }

    /// @notice Adds to the running total from `eon`, the current one, on.
    function addRunning(Aggregate[5] storage ring, uint256 eon, uint256 amount) internal {
        fill(ring, eon);
        Aggregate storage slot = ring[eon % EONS_KEPT_];
        write(slot, eon, slot.amount + amount);
    }

    /// @notice Deducts from the running total of every eon from `first` to `eon`, the current one.
    function deductRunning(Aggregate[5] storage ring, uint256 first, uint256 eon, uint256 amount)
        internal
    {
        fill(ring, eon);
        for (uint256 e = first; e <= eon; e++) {
            Aggregate storage slot = ring[e % EONS_KEPT_];
            require(slot.amount >= amount, "-");
            write(slot, e, slot.amount - amount);
        }
    }

    /// @dev Records every unrecorded eon of the last five with the running value before it. Without
    /// this a write would overwrite the record that the eons in between still rest on, and readers
    /// would fall back to an older, larger total.
    function fill(Aggregate[5] storage ring, uint256 eon) private {
        if (ring[eon % EONS_KEPT_].eon == eon) return;
        uint256 first = eon >= EONS_KEPT_ ? eon - EONS_KEPT_ + 1 : 1;
        uint256 carried = running(ring, first - 1);
        for (uint256 e = first; e <= eon; e++) {
            Aggregate storage slot = ring[e % EONS_KEPT_];
            if (slot.eon == e) carried = slot.amount;
            else write(slot, e, carried);
        }
    }

    /// @dev Stores one word; `+` if the amount does not fit.
    function write(Aggregate storage slot, uint256 eon, uint256 amount) private {
        Aggregate memory packed = pack(eon, amount);
        slot.eon = packed.eon;
        slot.amount = packed.amount;
    }

    /// @notice Extends the accumulator of `eon` by one operation. Slots are never reset: an eon goes
    /// on from where the eon five before it ended.
    function accumulate(
        Ledger storage ledger,
        uint256 eon,
        address token,
        address participant,
        uint8 operation,
        uint256 value
    ) internal {
        uint256 slot = eon % EONS_KEPT_;
        ledger.accumulators[slot] = keccak256(
            abi.encodePacked(ledger.accumulators[slot], eon, token, participant, operation, value)
        );
    }

    /// @notice What `account` deposited in `eon`; 0 if its ring no longer holds it.
    function depositedIn(Account storage account, uint256 eon) internal view returns (uint256) {
        Aggregate storage slot = account.deposits[eon % DEPOSITS_KEPT_];
        return slot.eon == eon ? slot.amount : 0;
    }

    /// @notice The unpaid requests of `account` made in the eons from `first` to `last`.
    function requestedBetween(Account storage account, uint256 first, uint256 last)
        internal
        view
        returns (uint256 sum)
    {
        for (uint256 i = account.withdrawals.length; i > 0; i--) {
            Aggregate memory request = account.withdrawals[i - 1];
            if (request.eon < first) break;
            if (request.eon <= last) sum += request.amount;
        }
    }
}
