// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title A contract that writes to storage when it receives ether, and can be told to refuse it
contract RecordingWallet {
    uint256 public received;
    bool public refusing;

    function refuse() external {
        refusing = true;
    }

    function relent() external {
        refusing = false;
    }

    function call(address to, bytes calldata data) external payable {
        (bool done, bytes memory answer) = to.call{value: msg.value}(data);
        if (!done) {
            assembly {
                revert(add(answer, 32), mload(answer))
            }
        }
    }

    receive() external payable {
        require(!refusing, "refused");
        received += msg.value;
    }
}
