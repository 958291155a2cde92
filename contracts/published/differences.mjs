// The published edition: our sources with the original contract's rules put back, for tests only.
// Each entry names the weakness (docs/contract.md) and replaces one passage that occurs exactly once.
import { disputes } from "./disputes.mjs";
import { face } from "./face.mjs";
import { money } from "./money.mjs";
import { withdrawals } from "./withdrawals.mjs";

const DIFFERENCES = [...money, ...withdrawals, ...disputes, ...face];

// `sources`: file name to text. Throws when a passage is not there exactly once.
export function asPublished(sources) {
  const changed = { ...sources };
  for (const { weakness, file, ours, theirs } of DIFFERENCES) {
    const parts = changed[file].split(ours);
    if (parts.length !== 2) {
      throw new Error(`${weakness}: ${file} has its passage ${parts.length - 1} times`);
    }
    changed[file] = parts.join(theirs);
  }
  return changed;
}
