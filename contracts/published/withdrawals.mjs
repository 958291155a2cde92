// Requests, payments and slashes as the published contract has them.
export const withdrawals = [
  {
    weakness: "W13",
    file: "Withdrawals.sol",
    ours: `        Assets.requireBond(REQUEST_GAS, MIN_BOND_GAS_PRICE);
`,
    theirs: `        Assets.requireBond(REQUEST_GAS, MIN_BOND_GAS_PRICE);
        Assets.forwardBond(ledger.operator);
`,
  },
  {
    weakness: "W13",
    file: "Withdrawals.sol",
    ours: `        queue(ledger, token, msg.sender, eon, amount);
        Assets.forwardBond(ledger.operator);
`,
    theirs: `        queue(ledger, token, msg.sender, eon, amount);
`,
  },
  {
    weakness: "W6",
    file: "Withdrawals.sol",
    ours: `requestedBetween(eon - 1, eon);
        require(lr`,
    theirs: `requestedBetween(eon, eon);
        require(lr`,
  },
  {
    weakness: "W2",
    file: "NOCUSTCommitChain.sol",
    ours: `ledger, token, msg.sender, withdrawalAmount, expiry, ledger.operator, [r, s], v`,
    theirs: `ledger, token, msg.sender, withdrawalAmount, expiry, msg.sender, [r, s], v`,
  },
  {
    weakness: "W10",
    file: "Withdrawals.sol",
    ours: `        require(!ledger.usedAuthorizations[digest], "a");
        ledger.usedAuthorizations[digest] = true;
`,
    theirs: ``,
  },
  {
    weakness: "W1",
    file: "Withdrawals.sol",
    ours: `        if (count == 0) return;
`,
    theirs: ``,
  },
  {
    weakness: "W1",
    file: "Withdrawals.sol",
    ours: `        for (uint256 i = 0; i < count; i++) {
            requests.pop();
        }`,
    theirs: `        while (requests.length > count) {
            requests.pop();
        }`,
  },
  {
    weakness: "H19",
    file: "Withdrawals.sol",
    ours: `        if (amount == 0) return 0;
`,
    theirs: ``,
  },
  {
    weakness: "W32",
    file: "Withdrawals.sol",
    ours: `        if (requestEon + 2 > ledger.lastSubmissionEon) return false;
`,
    theirs: ``,
  },
  {
    weakness: "W11, W30",
    file: "Withdrawals.sol",
    ours: `        ledger.requireRunning();
        require(msg.sender == ledger.operator, "operator");
`,
    theirs: ``,
  },
  {
    weakness: "W10",
    file: "Withdrawals.sol",
    ours: `        require(markerEonAvailable[0] <= eon && eon - markerEonAvailable[0] <= 2, "m");`,
    theirs: `        require(eon < markerEonAvailable[0] + 3, "m");`,
  },
  {
    weakness: "W33",
    file: "Withdrawals.sol",
    ours: `    function dropUndeducted(Ledger storage ledger, Aggregate[] storage requests, uint256 eon)
        private
        returns (uint256[2] memory dropped)
    {
        uint256 oldest = ledger.lastSubmissionEon < eon ? eon - 1 : eon;`,
    theirs: `    function dropUndeducted(Ledger storage, Aggregate[] storage requests, uint256 eon)
        private
        returns (uint256[2] memory dropped)
    {
        uint256 oldest = eon - 1;`,
  },
  {
    weakness: "W22",
    file: "Withdrawals.sol",
    ours: `        emit CommitChainEvents.WithdrawalSlashed(token, withdrawer, eon, slashed[0], slashed[1]);
`,
    theirs: ``,
  },
  {
    weakness: "W9",
    file: "Withdrawals.sol",
    ours: `        require(holder != address(0), "zero");
`,
    theirs: ``,
  },
];
