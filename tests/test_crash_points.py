"""Every moment between two lasting effects has a name, at which tests kill the operator."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

import crash_points
from duties import tasks
from duties.task import Task
from models.engine import open_engine, open_sessions
from settings import ROOT

BEGINNINGS = ("begin", "begin_nested", "commit")
"""What ends in a commit, of a session, a factory of sessions, or an engine."""
EXPLICIT = ("crash_point", "committed")


def functions(tree: ast.AST, path: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Every function with the name by which Python qualifies it, without `<locals>`."""
    for node in ast.iter_child_nodes(tree):
        inner = path
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            inner = f"{path}.{node.name}".lstrip(".")
            if not isinstance(node, ast.ClassDef):
                yield inner, node
        yield from functions(node, inner)


def own(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function, those of functions within it aside."""
    for node in ast.iter_child_nodes(function):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
            yield from own(node)


def calls(function: ast.AST) -> list[ast.Call]:
    return [node for node in own(function) if isinstance(node, ast.Call)]


def is_commit(call: ast.Call) -> bool:
    """Whether a unit of work begins here: not the method of that name of our own signing."""
    called = call.func
    if not isinstance(called, ast.Attribute) or called.attr not in BEGINNINGS:
        return False
    return not ast.unparse(called.value).endswith("_signing")


def is_explicit(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id in EXPLICIT


def commits_of(source: str, module: str) -> list[str]:
    """The points of a module's commits, one for each; and each that lacks its call, as a fault."""
    found = []
    tree = ast.parse(source)
    for name, function in functions(tree):
        point = crash_points.commit_name(module, name)
        explicit = [one for one in calls(function) if is_explicit(one)]
        commits = [one for one in calls(function) if is_commit(one)]
        found += [point] * len(commits)
        for commit in commits:
            # Sessions say of themselves that they committed; a bare connection does not.
            if "session" not in ast.unparse(commit.func) and not explicit:
                found.append(f"{point} says nothing")
        statements = [
            node
            for node in own(function)
            if isinstance(node, ast.Constant) and node.value == "COMMIT"
        ]
        # `_WRITE` is the one statement of a module that ends in a commit.
        statements += [
            node for node in own(function) if isinstance(node, ast.Name) and node.id == "_WRITE"
        ]
        found += [point if explicit else f"{point} says nothing"] * len(statements)
    return found


def modules() -> Iterator[tuple[str, str]]:
    for room in crash_points.ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts), path.read_text()


def registered_commits() -> list[str]:
    return [
        crash_points.commit_name(module, function)
        for module, names in crash_points.COMMITS.items()
        for function in names
    ]


def activities_of(source: str) -> list[str]:
    """The names of the tasks whose activities a module defines, as `tasks.NAME.name` says."""
    found = []
    for _, function in functions(ast.parse(source)):
        for decorator in getattr(function, "decorator_list", []):
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "activity.defn":
                (name,) = (one.value for one in decorator.keywords if one.arg == "name")
                constant = ast.unparse(name).removeprefix("tasks.").removesuffix(".name")
                found.append(vars(tasks)[constant].name)
    return found


def test_every_commit_of_the_rooms_has_a_name_and_every_name_a_commit() -> None:
    """A function that commits twice shows here too: split it, so that each has its own name."""
    found = [point for module, source in modules() for point in commits_of(source, module)]
    assert sorted(found) == sorted(registered_commits())


def test_every_activity_has_a_name_for_its_end() -> None:
    found = [name for _, source in modules() for name in activities_of(source)]
    asked = [task.name for task in vars(tasks).values() if isinstance(task, Task)]
    assert sorted(found) == sorted(crash_points.ENDS) == sorted(asked)


def test_every_effect_outside_of_the_database_is_passed() -> None:
    """What the rooms send, start and tell: each constant is used exactly once."""
    said = [
        ast.unparse(call.args[0])
        for _, source in modules()
        for _, function in functions(ast.parse(source))
        for call in calls(function)
        if isinstance(call.func, ast.Name) and call.func.id == "crash_point"
    ]
    constants = [name for name, value in vars(crash_points).items() if value in EFFECTS]
    assert sorted(said) == sorted([*constants, "end_name(info.activity_type)"])


EFFECTS = crash_points.EFFECTS


def test_no_two_points_share_a_name_and_a_setting_can_list_them() -> None:
    ends = [crash_points.end_name(one) for one in crash_points.ENDS]
    names = [*registered_commits(), *ends, *EFFECTS]
    assert len(set(names)) == len(names) == len(crash_points.NAMES)
    assert not [name for name in names if "," in name or "/" in name]


UNNAMED = {
    "a commit": "def pay(self):\n    with self._sessions.begin() as session:\n        pass\n",
    "two commits": (
        "def pay(sessions):\n    with sessions.begin():\n        pass\n"
        "    with sessions.begin():\n        pass\n"
    ),
    "a commit of a session": "def pay(session):\n    session.commit()\n",
    "a silent connection": "def pay(engine):\n    with engine.begin():\n        pass\n",
    "a statement": 'def pay(cursor):\n    cursor.execute("COMMIT")\n',
}


@pytest.mark.parametrize("source", UNNAMED.values(), ids=UNNAMED)
def test_a_commit_that_nobody_named_is_found(source: str) -> None:
    assert commits_of(source, "ledger.pay")


@pytest.mark.parametrize("place", ["a silent connection", "a statement"])
def test_a_commit_that_is_not_a_sessions_must_say_so_itself(place: str) -> None:
    assert any("says nothing" in one for one in commits_of(UNNAMED[place], "ledger.pay"))
    said = UNNAMED[place] + "    committed()\n"
    assert not any("says nothing" in one for one in commits_of(said, "ledger.pay"))


DEATH = """
import sys
from pathlib import Path
from sqlalchemy import text
from crash_points import arm
from models.engine import open_engine, open_sessions

class Matcher:
    def step(self, sessions, table):
        with sessions.begin() as session:
            session.execute(text(f"CREATE TABLE {table} (id integer)"))

point, folder, url, table = sys.argv[1:]
__name__ = "ledger.matching.matcher"
arm([point], Path(folder))
Matcher().step(open_sessions(open_engine(url, application_name="test")), table)
print("alive")
"""
"""A process that commits in the place of a function with a name."""


def test_an_armed_process_dies_after_the_commit_and_only_once(
    empty_database_url: str, tmp_path: Path
) -> None:
    point = "committed ledger.matching.matcher.Matcher.step"

    def live(table: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", DEATH, point, str(tmp_path), empty_database_url, table],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    assert live("first").returncode == -9
    assert [path.name for path in tmp_path.iterdir()] == [point]
    assert live("second").stdout == "alive\n"
    engine = open_engine(empty_database_url, application_name="test")
    with open_sessions(engine).begin() as session:
        tables = session.execute(text("SELECT tablename FROM pg_tables WHERE tablename <> ''"))
        assert {"first", "second"} <= {*tables.scalars()}
    engine.dispose()
