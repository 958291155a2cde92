// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Everything that a commit-chain announces
/// @notice The published events, and four additions that make slashes, registrations, answers and
/// recoveries visible.
interface CommitChainEvents {
    /// @notice The root of `eon` was committed.
    event CheckpointSubmission(uint256 indexed eon, bytes32 merkleRoot);

    /// @notice `amount` of `token` entered for `recipient`.
    event Deposit(address indexed token, address indexed recipient, uint256 amount);

    /// @notice `requestor` asked for `amount` of `token`.
    event WithdrawalRequest(address indexed token, address indexed requestor, uint256 amount);

    /// @notice Matured requests of `requestor` were paid.
    event WithdrawalConfirmation(address indexed token, address indexed requestor, uint256 amount);

    /// @notice A challenge was opened; for swaps `token` is the pair's conduit.
    event ChallengeIssued(address indexed token, address indexed recipient, address indexed sender);

    /// @notice A state-update challenge was answered; publishes the leaf and its proof.
    event StateUpdate(
        address indexed token,
        address indexed account,
        uint256 indexed eon,
        uint64 trail,
        bytes32[] allotmentChain,
        bytes32[] membershipChain,
        uint256[] values,
        uint256[2][3] lrDeltasPassiveMark,
        bytes32 activeStateChecksum,
        bytes32 passiveChecksum,
        bytes32 r,
        bytes32 s,
        uint8 v
    );

    /// @notice Requests of `requestor` were cancelled in `eon`: of the eon before it and of itself.
    event WithdrawalSlashed(
        address indexed token,
        address indexed requestor,
        uint256 eon,
        uint256 previousEonAmount,
        uint256 currentEonAmount
    );

    /// @notice `token` received `trail`.
    event TokenRegistered(address indexed token, uint64 indexed trail);

    /// @notice A challenge was answered; for swaps `token` is the pair's conduit.
    event ChallengeAnswered(
        address indexed token, address indexed recipient, address indexed sender
    );

    /// @notice `holder` recovered `amount` of `token` after the halt.
    event FundsRecovered(address indexed token, address indexed holder, uint256 amount);
}
