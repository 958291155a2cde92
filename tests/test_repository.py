"""What the repository promises about itself."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_lock_files_carry_names_versions_and_hashes_but_no_addresses() -> None:
    for name in ("requirements.lock", "package-lock.json"):
        text = (ROOT / name).read_text()
        assert not re.findall(r"https?://\S+\.(?:whl|tgz|tar\.gz)", text), name
        assert "--index-url" not in text and "--find-links" not in text


def test_every_locked_python_package_is_pinned_with_hashes() -> None:
    requirements = re.findall(
        r"^(\S+)==\S+.*?(?=^\S|\Z)", (ROOT / "requirements.lock").read_text(), re.M | re.S
    )
    blocks = re.split(r"^(?=[a-z0-9])", (ROOT / "requirements.lock").read_text(), flags=re.M)
    pinned = [block for block in blocks if "==" in block.split("\n", 1)[0]]
    assert len(pinned) == len(requirements) > 50
    assert all("--hash=sha256:" in block for block in pinned)


ROOMS = (
    "activities",
    "api",
    "chain",
    "commands",
    "contracts",
    "duties",
    "ledger",
    "models",
    "protocol",
    "simulation",
    "stack",
    "wallet",
    "workflows",
)
MODULE_LINES, FUNCTION_LINES = 400, 70


def modules() -> list[Path]:
    found = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    return [*found, *ROOT.glob("*.py")]


def functions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def test_modules_and_functions_stay_readable() -> None:
    long = []
    for path in modules():
        text = path.read_text()
        if text.count("\n") > MODULE_LINES:
            long.append(str(path))
        for function in functions(ast.parse(text)):
            if (function.end_lineno or 0) - function.lineno >= FUNCTION_LINES:
                long.append(f"{path}: {function.name}")
    assert not long


def test_no_bare_assert_guards_anything_outside_of_tests() -> None:
    guards = [
        str(path)
        for path in modules()
        if any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(path.read_text())))
    ]
    assert not guards


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        path.relative_to(ROOT).as_posix()
        for path in modules()
        if re.search(r"os\.(environ|getenv)\b", path.read_text())
    }

    assert readers <= {"settings.py"}


def test_the_documents_link_to_what_exists() -> None:
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_every_page_of_the_documentation_has_a_place_in_the_site() -> None:
    text = (ROOT / "mkdocs.yml").read_text()
    docs = ROOT / "docs"
    pages = {page.relative_to(docs).as_posix() for page in docs.rglob("*.md")}
    listed = set(re.findall(r"^ +- .*: (\S+\.md)$", text, re.M))
    elsewhere = {page for page in pages if re.match(r"(runbooks|decisions)/", page)}
    assert pages - elsewhere - listed == set(), "give it a line under `nav` in mkdocs.yml"
    assert listed <= pages | {"cli.md"}
