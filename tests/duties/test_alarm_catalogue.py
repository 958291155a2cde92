"""Every alarm has a page that tells a person what to do, and there is no page without an alarm."""

import ast
from collections.abc import Iterator
from pathlib import Path

import ledger.alarms
from duties import alarm_catalogue, alarms
from duties.alarm_catalogue import CATALOGUE, UNLISTED

ROOT = Path(alarm_catalogue.__file__).parent.parent
SEVERITIES = {alarms.INFORMATION, alarms.WARNING, alarms.CRITICAL}
HEADINGS = ["## Cause", "## How to see it", "## What to do", "## If nobody does"]
RAISING = ("raise_alarm", "AlarmNote", "Finding")


def subjects_of_code() -> set[str]:
    named = {name: text for name, text in vars(alarms).items() if name.isupper()}
    return set(named.values()) - SEVERITIES


def test_the_catalogue_lists_exactly_the_subjects_of_the_code() -> None:
    assert set(CATALOGUE) == subjects_of_code()


def test_the_ledger_spells_its_subjects_as_the_catalogue_does() -> None:
    named = {name: it for name, it in vars(ledger.alarms).items() if name.isupper()}
    kinds = {ledger.alarms.RAISED, ledger.alarms.RESOLVED}
    own = {it for it in named.values() if isinstance(it, str)} - kinds
    assert len(own) > 5 and own <= set(CATALOGUE)


def test_every_subject_has_a_page_of_its_own_and_every_page_a_subject() -> None:
    slugs = [entry.slug for entry in CATALOGUE.values()]
    assert len(slugs) == len(set(slugs))
    pages = {path.stem for path in (ROOT / alarm_catalogue.RUNBOOKS).glob("*.md")}
    assert pages == {*slugs, UNLISTED.slug}


def test_every_page_tells_cause_sight_act_and_what_happens_otherwise() -> None:
    for entry in CATALOGUE.values():
        lines = (ROOT / entry.runbook).read_text().splitlines()
        assert lines[0].startswith("# "), entry.slug
        assert [line for line in lines if line.startswith("## ")] == HEADINGS, entry.slug
        assert entry.meaning.endswith(".") and entry.advice.endswith("."), entry.slug


def test_links_between_pages_lead_somewhere() -> None:
    for page in (ROOT / alarm_catalogue.RUNBOOKS).glob("*.md"):
        for part in page.read_text().split("](")[1:]:
            target = part.split(")", 1)[0]
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_whoever_raises_an_alarm_takes_its_subject_from_the_catalogue() -> None:
    found = list(_raised())
    assert len(found) > 10
    for place, subject in found:
        # Names are constants of `alarms`, or arguments of a function that passes the subject on.
        assert subject.replace(".", "").isidentifier(), f"{place}: {subject}"


def _raised() -> Iterator[tuple[str, str]]:
    """Where alarms are raised, and the subject as it is written there."""
    for room in ("activities", "workflows", "ledger", "commands", "api"):
        for path in (ROOT / room).rglob("*.py"):
            for call in ast.walk(ast.parse(path.read_text())):
                if isinstance(call, ast.Call) and ast.unparse(call.func) in RAISING:
                    # The severity, the subject, the object and the message stand last.
                    yield f"{path.name}:{call.lineno}", ast.unparse(call.args[-3])
