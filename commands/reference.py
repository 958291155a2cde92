"""The reference of the commands as a page, from what they say of themselves."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc
from typing import Final

import click

HEAD: Final = """# Commands

`nocust-operator COMMAND`, or `./run.sh COMMAND` in a checkout. Each says the same with `--help`.
What acts on the operator wants a `--reason`, which is recorded with who acted (`audit-log`).
"""


def reference(main: click.Group) -> str:
    """A page in Markdown with a section for each command of `main`, subcommands below theirs."""
    context = click.Context(main, info_name="nocust-operator", max_content_width=10_000)
    sections = [HEAD.strip()]
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        if command is not None and not command.hidden:
            sections += [part for part in _describe(name, command, context) if part]
    return "\n\n".join(sections) + "\n"


def _describe(name: str, command: click.Command, parent: click.Context) -> Iterator[str]:
    """One command's section, then those of its subcommands."""
    context = click.Context(command, info_name=name, parent=parent)
    level = "##" if parent.parent is None else "###"
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"{level} {context.command_path.removeprefix('nocust-operator ')}"
    yield f"```\n{context.command_path} {usage}".rstrip() + "\n```"
    yield cleandoc(command.help or "")
    rows = [row for parameter in command.params if (row := _row(parameter, context))]
    if rows:
        yield "\n".join(["| option | |", "| --- | --- |", *rows])
    if isinstance(command, click.Group):
        for sub in command.list_commands(context):
            found = command.get_command(context, sub)
            if found is not None and not found.hidden:
                yield from _describe(sub, found, context)


def _row(parameter: click.Parameter, context: click.Context) -> str | None:
    record = parameter.get_help_record(context)
    if record is None:
        return None
    form, meaning = (" ".join(text.split()).replace("|", "\\|") for text in record)
    return f"| `{form}` | {meaning} |"
