"""What the command line adds to click: errors in one line, examples below the help, options with several values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from twinlab.errors import TwinlabError

__all__ = ["Command", "Commands", "Group", "Several"]


class Commands(click.Group):
    """All commands; an error in one of them is one line on standard error and the exit code 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        # In the order of a twin's life, not of the alphabet: as defined, or after another one.
        before = {name: getattr(command, "after", "") for name, command in self.commands.items()}
        names = [name for name, other in before.items() if not other]
        later = {name: other for name, other in before.items() if other}
        while later:
            # The other one may itself be listed after one that is defined later.
            name = next((name for name, other in later.items() if other in names), "")
            if not name:
                return [*names, *later]
            names.insert(names.index(later.pop(name)) + 1, name)
        return names

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  (click's signature)
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:  # noqa: BLE001  (a program error is explained in one line, too)
            if ctx.params["traceback"]:
                import traceback  # noqa: PLC0415  (loaded when needed: --help stays quick)

                traceback.print_exc()
            click.echo(f"{ctx.info_name}: {_explained(error, ctx.info_name)}", err=True)
            return 1


def _explained(error: Exception, program: str | None) -> str:
    if isinstance(error, (TwinlabError, OSError)):
        return str(error)
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    return f"unexpected error: {what}\nRun the command again as `{program} --traceback …` and report it."


class Command(click.Command):
    """A command with an example below its help, and options that take several values: ``--from a.csv b.csv``."""

    def __init__(self, *args: Any, example: str, after: str = "", **kwargs: Any) -> None:  # noqa: ANN401  (passed to click)
        super().__init__(*args, **kwargs)
        self.example = example
        # The command that it is listed after; empty for one that is listed where it is defined.
        self.after = after

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        several = {name for option in self.params if isinstance(option, Several) for name in option.opts}
        try:
            return super().parse_args(ctx, _repeat_option(args, several))
        except click.UsageError as error:
            # Some of click's errors don't name the command.
            error.ctx = error.ctx or ctx
            raise

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        _write_example(formatter, self.example)


class Group(click.Group):
    """A command with commands of its own, and an example below its help."""

    def __init__(self, *args: Any, example: str, after: str = "", **kwargs: Any) -> None:  # noqa: ANN401  (passed to click)
        super().__init__(*args, **kwargs)
        self.example = example
        self.after = after

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        _write_example(formatter, self.example)


def _write_example(formatter: click.HelpFormatter, example: str) -> None:
    # Line by line: click would fill the lines of an epilog into one paragraph.
    formatter.write("\nexample:\n")
    for line in example.splitlines():
        formatter.write(f"  {line}\n")


class Several(click.Option):
    """An option with one or more values; click itself has options with a fixed number of values only."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  (passed to click)
        super().__init__(*args, **{**kwargs, "multiple": True})


def _repeat_option(arguments: Sequence[str], options: set[str]) -> list[str]:
    """Return arguments with ``--from a b`` written as ``--from a --from b``, for the options that take several values."""
    repeated: list[str] = []
    current, values = "", 0
    for position, argument in enumerate(arguments):
        if argument == "--":
            return [*repeated, *arguments[position:]]
        if argument in options:
            current, values = argument, 0
            repeated.append(argument)
        elif argument.startswith("-"):
            current = ""
            repeated.append(argument)
        else:
            repeated += [current, argument] if current and values else [argument]
            values += 1
    return repeated
