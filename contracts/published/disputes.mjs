// Challenges and answers as the published contract has them.
export const disputes = [
  {
    weakness: "W5",
    file: "Challenges.sol",
    ours: `    function requireOpenable(Ledger storage ledger, address token) internal view {
        ledger.requireRunning();
        require(Assets.isKnown(ledger, token), "t");
    }`,
    theirs: `    function requireOpenable(Ledger storage, address) internal pure {}`,
  },
  {
    weakness: "W22",
    file: "Challenges.sol",
    ours: `    function close(
        Ledger storage ledger,
        address token,
        address recipient,
        address sender,
        Challenge storage entry
    ) internal {`,
    theirs: `    function close(
        Ledger storage ledger,
        address,
        address,
        address,
        Challenge storage entry
    ) internal {`,
  },
  {
    weakness: "W22",
    file: "Challenges.sol",
    ours: `        emit CommitChainEvents.ChallengeAnswered(token, recipient, sender);
`,
    theirs: ``,
  },
  {
    weakness: "W3",
    file: "StateUpdates.sol",
    ours: `requireBalance(ledger.accounts[token][issuer], entry`,
    theirs: `requireBalance(ledger.accounts[token][msg.sender], entry`,
  },
  {
    weakness: "W17",
    file: "StateUpdates.sol",
    ours: `if (deltas[0] == 0 && deltas[1] == 0 && txSetRoot == 0) return 0;`,
    theirs: `if (deltas[0] == 0 && deltas[1] == 0) return 0;`,
  },
  {
    weakness: "W15",
    file: "Deliveries.sol",
    ours: `require((msg.sender == sr[0] || msg.sender == sr[1]) && sr[0] != sr[1], "d");`,
    theirs: `require(msg.sender == sr[0] || msg.sender == sr[1], "d");`,
  },
  {
    weakness: "W15",
    file: "Deliveries.sol",
    ours: `        Challenge storage entry =
            msg.sender == sr[1] ? ownEntry(ledger, token, sr) : sendersEntry(ledger, token, sr);
        require(entry.kind == Challenges.NONE, "open");
        bytes32 subject = keccak256(
            abi.encode(
                token, sr[0], ledger.eon(), Transfers.transferLeaf(sr[1], amount, trail, nonce)
            )
        );
        require(!ledger.challengedTransfers[subject], "used");
        ledger.challengedTransfers[subject] = true;
`,
    theirs: `        Challenge storage entry = ownEntry(ledger, token, sr);
        Challenges.requireUnused(ledger, entry);
`,
  },
  {
    weakness: "W16",
    file: "Deliveries.sol",
    ours: `        return recorded == Transfers.tag(positionNonce[0], positionNonce[1])
            || recorded == Transfers.tag(Transfers.LAST_POSITION, positionNonce[1]);`,
    theirs: `        return recorded == Transfers.tag(positionNonce[0], positionNonce[1]);`,
  },
  {
    weakness: "W16",
    file: "Deliveries.sol",
    ours: `        uint256 written = nonceAmount[0] == 0
            ? Transfers.LAST_POSITION
            : Transfers.tag(Transfers.LAST_POSITION, nonceAmount[0]);
`,
    theirs: `        uint256 written = Transfers.LAST_POSITION;
`,
  },
  {
    weakness: "W16",
    file: "Deliveries.sol",
    ours: `        uint256 nonce = lrDeltasPassiveMarkDummyAmount[3][0];
        uint256 recorded = Transfers.tag(
            lrDeltasPassiveMarkDummyAmount[2][1], nonce == 0 ? Transfers.LAST_POSITION : nonce
        );`,
    theirs: `        uint256 recorded =
            Transfers.tag(lrDeltasPassiveMarkDummyAmount[2][1], Transfers.LAST_POSITION);`,
  },
  {
    weakness: "W18",
    file: "Swaps.sol",
    ours: `        uint256 eon = ledger.eon() - 1;
        Account storage account = ledger.accounts[tokens[0]][msg.sender];`,
    theirs: `        uint256 eon = ledger.challenges[tokens[0]][msg.sender][msg.sender][0].initialStateEon;
        Account storage account = ledger.accounts[tokens[0]][msg.sender];`,
  },
  {
    weakness: "W3",
    file: "Swaps.sol",
    ours: `ledger.accounts[tokens[1]][issuer];`,
    theirs: `ledger.accounts[tokens[1]][msg.sender];`,
  },
  {
    weakness: "W34",
    file: "Swaps.sol",
    ours: `        uint256 left = lrDeltasPassiveMark[0][1] - lrDeltasPassiveMark[0][0] + deltas[0]
            + account.requestedBetween(eon, eon);
        return left
            - (start + deltas[1] + lrDeltasPassiveMark[2][0] + account.depositedIn(eon));`,
    theirs: `        uint256 base = start + deltas[1] + lrDeltasPassiveMark[2][0] + account.depositedIn(eon)
            - account.requestedBetween(eon, eon) - deltas[0];
        return lrDeltasPassiveMark[0][1] - lrDeltasPassiveMark[0][0] - base;`,
  },
  {
    weakness: "W7",
    file: "Swaps.sol",
    ours: `        uint256 refund = entry.finalStateBalance - entry.initialStateBalance;
        uint256 taken = refund < sell ? sell - refund : 0;
        uint256 owed = taken * entry.gains / 100;
        unchecked {
            uint256 got = sell * given_;
            // A product that does not fit is greater than one that does.
            require((sell != 0 && got / sell != given_) || got / 100 >= owed, "v");
        }`,
    theirs: `        uint256 taken = sell - (entry.finalStateBalance - entry.initialStateBalance);
        require(taken * entry.gains / 100 >= sell * given_ / 100, "v");`,
  },
];
