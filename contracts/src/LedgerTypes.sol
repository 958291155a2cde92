// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev Eons whose checkpoints, accumulators and totals are kept: the size of those rings.
uint8 constant EONS_KEPT_ = 5;
/// @dev Eons whose deposits are kept for one wallet: the size of that ring.
uint8 constant DEPOSITS_KEPT_ = 3;
/// @dev Lowest price of one unit of gas in a bond, in wei.
uint256 constant MIN_BOND_GAS_PRICE = 5_000_000_000;

/// @dev An amount and the eon it belongs to. Eon 0 means "never written". One storage word, hence
/// the limit of 2^224 - 1 units on any single total.
struct Aggregate {
    uint32 eon;
    uint224 amount;
}

/// @dev A committed root and the number of unanswered challenges filed under its eon.
struct Checkpoint {
    uint128 eon;
    uint128 liveChallenges;
    bytes32 merkleRoot;
}

/// @dev One dispute. `kind` is 0 (none), 1 (state update), 2 (delivery) or 3 (swap). An answer
/// clears everything except `initialStateEon`, which says in which eon the entry was last used.
struct Challenge {
    uint8 kind;
    uint64 openedAt;
    uint64 initialStateEon;
    uint64 trail;
    uint256 initialStateBalance;
    uint256 spendings;
    uint256 gains;
    uint256 finalStateBalance;
    uint256 nonce;
}

/// @dev What the contract keeps for one (token, holder).
struct Account {
    Aggregate[3] deposits;
    Aggregate[] withdrawals;
    bool recovered;
}

/// @dev The whole state of a commit-chain. The first word never changes after construction.
struct Ledger {
    address operator;
    uint48 genesis;
    uint48 blocksPerEon;
    uint64 lastSubmissionEon;
    uint8 lock;
    Checkpoint[5] checkpoints;
    bytes32[5] accumulators;
    mapping(address token => Aggregate[5]) deposits;
    mapping(address token => Aggregate[5]) pending;
    mapping(address token => Aggregate[5]) confirmed;
    mapping(address token => mapping(address holder => Account)) accounts;
    mapping(address token => uint64) trails;
    address[] tokens;
    mapping(bytes32 digest => bool) usedAuthorizations;
    mapping(bytes32 subject => bool) challengedTransfers;
    /// Entry 0 is the recipient's (and that of state updates and swaps), entry 1 the sender's:
    /// neither party can occupy the other's.
    mapping(address token => mapping(address recipient => mapping(address sender => Challenge[2])))
        challenges;
}
