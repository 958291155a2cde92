// Compiles Solidity with the pinned compiler and writes one artefact per deployable contract.
// Usage: node contracts/build.mjs [--src DIRECTORY] [--out DIRECTORY] [--published] [--input]
// --published builds the test edition, which has the original contract's weaknesses.
// --input prints the compiler's input for static analysers instead of building.
import { createRequire } from "node:module";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { asPublished } from "./published/differences.mjs";

const solc = createRequire(import.meta.url)("solc");
const here = dirname(fileURLToPath(import.meta.url));
const COMPILER = "0.8.37";
const LARGEST_RUNTIME_BYTES = 24_576;

function option(name, standard) {
  const at = process.argv.indexOf(name);
  return at < 0 ? join(here, standard) : resolve(process.argv[at + 1]);
}

function readSources(directory) {
  const names = readdirSync(directory).filter((name) => name.endsWith(".sol")).sort();
  return Object.fromEntries(
    names.map((name) => [name, readFileSync(join(directory, name), "utf8")]),
  );
}

function compilerInput(sources, outputs) {
  return {
    language: "Solidity",
    sources: Object.fromEntries(
      Object.entries(sources).map(([name, content]) => [name, { content }]),
    ),
    settings: {
      // Runs on chains that know nothing newer, proof-of-authority ones among them.
      evmVersion: "london",
      viaIR: true,
      optimizer: { enabled: true, runs: 200 },
      metadata: { appendCBOR: false, bytecodeHash: "none" },
      outputSelection: outputs,
    },
  };
}

function compile(sources) {
  if (!solc.version().startsWith(COMPILER)) {
    throw new Error(`compiler ${COMPILER} wanted, ${solc.version()} found`);
  }
  const input = compilerInput(sources, {
    "*": { "*": ["abi", "evm.bytecode", "evm.deployedBytecode.object", "evm.methodIdentifiers"] },
  });
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const problems = output.errors ?? [];
  for (const problem of problems) process.stderr.write(problem.formattedMessage);
  if (problems.length > 0) throw new Error(`${problems.length} compiler message(s); none allowed`);
  return output.contracts;
}

// A file deploys the contract or library of its own name, if that has functions to call.
function deployable(contracts) {
  return Object.keys(contracts)
    .map((file) => file.replace(/\.sol$/, ""))
    .filter((name) => {
      const built = contracts[`${name}.sol`][name];
      return built?.evm.bytecode.object && Object.keys(built.evm.methodIdentifiers).length > 0;
    });
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

function build(sources, out) {
  const contracts = compile(sources);
  mkdirSync(out, { recursive: true });
  for (const name of deployable(contracts)) {
    const built = artefact(contracts, name);
    writeFileSync(join(out, `${name}.json`), `${JSON.stringify(built, null, 1)}\n`);
    process.stdout.write(`${name}: ${built.runtimeBytes} bytes\n`);
  }
}

const published = process.argv.includes("--published");
const written = readSources(option("--src", "src"));
const sources = published ? asPublished(written) : written;
if (process.argv.includes("--input")) {
  const everything = ["abi", "devdoc", "userdoc", "metadata", "evm.bytecode"];
  everything.push("evm.deployedBytecode", "evm.methodIdentifiers");
  const input = compilerInput(sources, { "*": { "*": everything, "": ["ast"] } });
  process.stdout.write(JSON.stringify(input));
} else {
  build(sources, option("--out", published ? "published/artefacts" : "artefacts"));
}
