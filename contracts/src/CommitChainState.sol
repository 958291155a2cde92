// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CommitChainEvents} from "./CommitChainEvents.sol";
import {Ledger} from "./LedgerTypes.sol";

/// @title The one ledger that every part of the commit-chain works on
abstract contract CommitChainState is CommitChainEvents {
    uint8 internal constant UNLOCKED = 1;
    uint8 private constant LOCKED = 2;

    Ledger internal ledger;

    /// @dev One lock over all state-changing calls: a token or a holder that is called in between
    /// finds the whole contract closed.
    modifier exclusive() {
        require(ledger.lock == UNLOCKED, "reentrant");
        ledger.lock = LOCKED;
        _;
        ledger.lock = UNLOCKED;
    }

    /// @dev For calls that are the operator's alone.
    modifier onlyOperator() {
        require(msg.sender == ledger.operator, "operator");
        _;
    }
}
