// Compiles contracts/src with the pinned compiler and writes one artefact per deployable contract.
// Usage: node contracts/build.mjs [--out DIRECTORY]
import { createRequire } from "node:module";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const solc = createRequire(import.meta.url)("solc");
const here = dirname(fileURLToPath(import.meta.url));
const SOURCES = join(here, "src");
const COMPILER = "0.8.37";
const LARGEST_RUNTIME_BYTES = 24_576;
const DEPLOYABLE = [
  "DevelopmentToken",
  "NOCUSTCommitChain",
  "Recovery",
  "Verification",
  "Withdrawals",
];

function compile() {
  if (!solc.version().startsWith(COMPILER)) {
    throw new Error(`compiler ${COMPILER} wanted, ${solc.version()} found`);
  }
  const names = readdirSync(SOURCES).filter((name) => name.endsWith(".sol")).sort();
  const read = (name) => ({ content: readFileSync(join(SOURCES, name), "utf8") });
  const output = JSON.parse(
    solc.compile(
      JSON.stringify({
        language: "Solidity",
        sources: Object.fromEntries(names.map((name) => [name, read(name)])),
        settings: {
          // Runs on chains that know nothing newer, proof-of-authority ones among them.
          evmVersion: "london",
          viaIR: true,
          optimizer: { enabled: true, runs: 200 },
          metadata: { appendCBOR: false, bytecodeHash: "none" },
          outputSelection: {
            "*": { "*": ["abi", "evm.bytecode", "evm.deployedBytecode.object"] },
          },
        },
      }),
    ),
  );
  const problems = output.errors ?? [];
  for (const problem of problems) process.stderr.write(problem.formattedMessage);
  if (problems.length > 0) throw new Error(`${problems.length} compiler message(s); none allowed`);
  return output.contracts;
}

function artefact(contracts, name) {
  const { abi, evm } = contracts[`${name}.sol`][name];
  const runtimeBytes = evm.deployedBytecode.object.length / 2;
  if (runtimeBytes > LARGEST_RUNTIME_BYTES) {
    throw new Error(`${name}: ${runtimeBytes} bytes, ${LARGEST_RUNTIME_BYTES} allowed`);
  }
  const links = Object.entries(evm.bytecode.linkReferences).flatMap(([, libraries]) =>
    Object.entries(libraries).map(([library, places]) => [
      library,
      places.map(({ start }) => start),
    ]),
  );
  return {
    name,
    compiler: solc.version(),
    abi,
    bytecode: `0x${evm.bytecode.object}`,
    linkReferences: Object.fromEntries(links),
    runtimeBytes,
  };
}

const flag = process.argv.indexOf("--out");
const out = flag < 0 ? join(here, "artefacts") : resolve(process.argv[flag + 1]);
const contracts = compile();
mkdirSync(out, { recursive: true });
for (const name of DEPLOYABLE) {
  const built = artefact(contracts, name);
  writeFileSync(join(out, `${name}.json`), `${JSON.stringify(built, null, 1)}\n`);
  process.stdout.write(`${name}: ${built.runtimeBytes} bytes\n`);
}
