// What the published contract shows: no edition, fewer events, a swallowing fallback.
export const face = [
  {
    weakness: "W20",
    file: "NOCUSTCommitChain.sol",
    ours: `    receive() external payable {}`,
    theirs: `    receive() external payable {}

    /// @notice Swallows every unknown call.
    fallback() external payable {}`,
  },
  {
    weakness: "edition",
    file: "CommitChainGetters.sol",
    ours: `    /// @notice Which contract this is; the published one has no such getter.
    function EDITION() external pure returns (string memory) {
        return "nocust-hardened-1";
    }
`,
    theirs: ``,
  },
  {
    weakness: "W24",
    file: "CommitChainSummaries.sol",
    ours: `i < EONS_KEPT_ && i < eon && i <= latestCheckpointEonNumber; i++`,
    theirs: `i < EONS_KEPT_ && i < eon; i++`,
  },
  {
    weakness: "W22",
    file: "CommitChainEvents.sol",
    ours: `
    /// @notice Requests of \`requestor\` were cancelled in \`eon\`: of the eon before it and of itself.
    event WithdrawalSlashed(
        address indexed token,
        address indexed requestor,
        uint256 eon,
        uint256 previousEonAmount,
        uint256 currentEonAmount
    );

    /// @notice \`token\` received \`trail\`.
    event TokenRegistered(address indexed token, uint64 indexed trail);

    /// @notice A challenge was answered; for swaps \`token\` is the pair's conduit.
    event ChallengeAnswered(
        address indexed token, address indexed recipient, address indexed sender
    );

    /// @notice \`holder\` recovered \`amount\` of \`token\` after the halt.
    event FundsRecovered(address indexed token, address indexed holder, uint256 amount);
`,
    theirs: ``,
  },
  {
    weakness: "W22",
    file: "NOCUSTCommitChain.sol",
    ours: `        emit TokenRegistered(token, trail);
`,
    theirs: ``,
  },
  {
    weakness: "W22",
    file: "Recovery.sol",
    ours: `        emit CommitChainEvents.FundsRecovered(token, holder, amount);
`,
    theirs: ``,
  },
];
