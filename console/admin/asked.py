"""Asked: what every command of `limner admin` is given, may be asked, and ends with.

`reading` and `changing` make a command of a function of an `Asked` and of the command's own arguments; they add the
options that all have. Those may also stand before the verb: `limner admin -o json accounts`.
"""

from __future__ import annotations

import inspect
import io
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, TextIO, get_type_hints
from urllib.parse import quote, urlencode

import typer

from console.endings import FAILED, NO_CONNECTION, REFUSED, USAGE, Quit, printing
from console.options import DATA, Url
from console.show import CUT, DIM, as_json, as_pairs, styled

if TYPE_CHECKING:
    from console.reach import Daemon

BASE = "/admin/v1"
WATCH_EACH_S = 2.0
#: The longest list that one answer holds (docs/ADMIN.md).
PAGE_LENGTH_MAX = 1000
#: Cursor to the corner, and what is below it away.
REDRAW = "\x1b[H\x1b[J"
CLEAR = "\x1b[2J"
DONE, UNCHANGED, NO_CHANGE = "done", "nothing to do: it is so already", "nothing changed by this"
STRANGE = "the daemon's answer is not one that this limner knows; -o json prints it as it came"

Render = Callable[[Any, TextIO], None]


class Form(StrEnum):
    """How answers are printed."""

    TABLE = "table"
    JSON = "json"


AdminKey = Annotated[
    str | None, typer.Option("--key", envvar="LIMNER_KEY", help="A key of role admin or viewer; else the demo's.")
]
Output = Annotated[Form | None, typer.Option("--output", "-o", help="How to print the answer  [table]")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Again each two seconds, until Ctrl-C.")]


@dataclass
class Asked:
    """One call of a command. What it is asked for in vain raises Quit."""

    url: str | None
    key: str | None
    form: Form
    yes: bool = False
    watch: bool = False

    @cached_property
    def daemon(self) -> Daemon:
        """Whom it is for."""
        from console.reach import find_daemon

        return find_daemon(self.url, self.key, DATA, "admin_key")

    @property
    def to_json(self) -> bool:
        """Whether a program reads it."""
        return self.form is Form.JSON

    def get(self, path: str, **query: Any) -> Any:
        """The answer to GET; what is None is not asked for."""
        from console.reach import call

        asked = urlencode({name: value for name, value in query.items() if value is not None})
        return call(self.daemon, "GET", f"{BASE}/{path}" + (f"?{asked}" if asked else ""))

    def list(self, path: str, rows: str, limit: int | None, before: str | None, **query: Any) -> Any:
        """The answer to GET of a list of `limit` rows, joined of as many pages as that takes."""
        found: list[Any] = []
        while True:
            page = None if limit is None else min(PAGE_LENGTH_MAX, limit - len(found))
            told = self.get(path, **query, limit=page, before=before)
            if not isinstance(told, dict) or not isinstance(told.get(rows), list):
                return told  # as it came: whoever renders it says that it is strange
            found += told[rows]
            before = told.get("next")
            if limit is None or before is None or len(found) >= limit:
                return {**told, rows: found}

    def post(self, path: str, **arguments: Any) -> Any:
        """The answer to POST; what is None is not said."""
        from console.reach import call

        said = {name: value for name, value in arguments.items() if value is not None}
        return call(self.daemon, "POST", f"{BASE}/{path}", said)

    # --- reading ---------------------------------------------------------------------------------------------

    def show(self, get: Callable[[], Any], render: Render) -> None:
        """Prints the answer, as it is or rendered for people; with --watch again and again."""
        if not self.watch:
            self._print(get(), render, sys.stdout)
            return
        on_terminal, first = sys.stdout.isatty(), True
        while True:
            try:
                block = self._block(get(), render)
            except Quit as quit:
                if first or quit.code != NO_CONNECTION:
                    raise
                block = f"{quit.message}\n"
                if self.to_json:  # a program reads the rest
                    note(quit.message)
                    block = ""
            if on_terminal:
                sys.stdout.write((CLEAR if first else "") + REDRAW + _in_height(block))
            else:
                sys.stdout.write(block if first or self.to_json else "\n" + block)
            sys.stdout.flush()
            first = False
            time.sleep(WATCH_EACH_S)

    def _block(self, answer: Any, render: Render) -> str:
        out = _Like(sys.stdout)
        self._print(answer, render, out)
        return out.getvalue()

    def _print(self, answer: Any, render: Render, out: TextIO) -> None:
        if self.to_json:
            as_json(answer, out)
            return
        try:
            render(answer, out)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            raise Quit(FAILED, STRANGE) from None

    # --- changing --------------------------------------------------------------------------------------------

    def confirm(self, question: str) -> None:
        """Raises Quit unless it shall be."""
        if self.yes:
            return
        if not sys.stdin.isatty():
            raise Quit(USAGE, "this changes something, and nobody is here to be asked: give --yes")
        if not answered(lambda: typer.confirm(question, err=True)):
            raise Quit(REFUSED, "nothing was changed")

    def change(self, question: str, path: str, **arguments: Any) -> None:
        """Asks, does it, and says what came of it."""
        daemon = self.daemon  # whoever cannot be reached at all need not be decided about
        assert daemon
        self.confirm(question)
        self.tell(self.post(path, **arguments))

    def tell(self, answer: Any) -> None:
        """What came of a change."""
        if self.to_json:
            as_json(answer)
        elif not isinstance(answer, Mapping):
            raise Quit(FAILED, STRANGE)
        elif answer.get("ok") is not False:
            more = {name: value for name, value in answer.items() if name not in ("ok", "changed")}
            if not more:
                print(DONE if answer.get("changed") else UNCHANGED)
                return
            if "changed" in answer:  # what follows may be left to do: a restart, say
                print(DONE if answer["changed"] else NO_CHANGE)
            as_pairs(more)
        if isinstance(answer, Mapping) and answer.get("ok") is False:
            raise Quit(FAILED, "it did not happen")


def _in_height(block: str) -> str:
    """As many lines as the terminal has, or it would scroll."""
    lines, height = block.splitlines(keepends=True), shutil.get_terminal_size().lines - 1
    return block if len(lines) <= height else "".join(lines[: height - 1]) + f"{CUT} {len(lines) - height + 1} more\n"


class _Like(io.StringIO):
    """What is written is kept, and styled as for the stream that it will go to."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    def isatty(self) -> bool:
        return self._stream.isatty()


def path_of(id: str) -> str:
    """An id as a part of a path; the slash of an actor's name stands as it is. Raises Quit: it is none at all."""
    if not id.strip():
        raise Quit(USAGE, "say which one is meant: its name is empty here")
    return quote(id, safe="/")


def answered(ask: Callable[[], Any]) -> Any:
    """What is answered to a question. Raises typer.Abort: Ctrl-C or the end of the input, with its line ended."""
    try:
        return ask()
    except typer.Abort:
        print(file=sys.stderr)
        raise


def note(words: str) -> None:
    """For whoever watches, beside what is printed."""
    print(styled(f"({words})", DIM, sys.stderr), file=sys.stderr, flush=True)


# --- commands -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Before:
    """What was given before the verb."""

    url: str | None
    key: str | None
    output: Form | None
    yes: bool
    watch: bool


def remember(
    context: typer.Context,
    url: Url = None,
    key: AdminKey = None,
    output: Output = None,
    yes: Yes = False,
    watch: Watch = False,
) -> None:
    """A callback of groups: the options that all commands have, before the verb."""
    context.obj = _joined(context, Before(url, key, output, yes, watch))


def _joined(context: typer.Context, here: Before) -> Before:
    """With what stood before; what comes later wins."""
    before = context.find_object(Before) or Before(None, None, None, yes=False, watch=False)
    # The environment speaks at each level: what was given by hand before it must not lose to it.
    given = {name: _by_hand(context, name) for name in ("url", "key")}
    return Before(
        here.url if given["url"] or before.url is None else before.url,
        here.key if given["key"] or before.key is None else before.key,
        here.output or before.output,
        here.yes or before.yes,
        here.watch or before.watch,
    )


def _by_hand(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def group(help: str, **options: Any) -> typer.Typer:
    """A noun whose verbs are commands."""
    made = typer.Typer(help=help, **options)
    if not options.get("invoke_without_command"):
        made.callback()(remember)
    return made


def reading(app: typer.Typer, name: str | None = None, **options: Any) -> Callable[[Callable[..., None]], Any]:
    """Registers a command that only reads."""
    return _registering(lambda command: app.command(name, **options)(command), {"watch": (Watch, False)})


def changing(app: typer.Typer, name: str, **options: Any) -> Callable[[Callable[..., None]], Any]:
    """Registers a command that changes something, and asks before it does."""
    return _registering(lambda command: app.command(name, **options)(command), {"yes": (Yes, False)})


def reading_group(app: typer.Typer) -> Callable[[Callable[..., None]], Any]:
    """What a noun does when no verb follows."""
    more = {"yes": (Yes, False), "watch": (Watch, False)}
    return _registering(lambda command: app.callback(invoke_without_command=True)(command), more)


def _registering(
    register: Callable[[Callable[..., None]], Any], more: Mapping[str, tuple[Any, Any]]
) -> Callable[[Callable[..., None]], Any]:
    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(function, include_extras=True)
        own = [
            parameter.replace(annotation=hints[parameter.name])
            for parameter in list(inspect.signature(function).parameters.values())[1:]
        ]
        common = {"url": (Url, None), "key": (AdminKey, None), "output": (Output, None), **more}
        added = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for name, (annotation, default) in common.items()
        ]
        context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)

        def command(**given: Any) -> None:
            context: typer.Context = given.pop("context")
            here = Before(*(given.pop(name, False) for name in ("url", "key", "output", "yes", "watch")))
            context.obj = said = _joined(context, here)
            if context.invoked_subcommand is None:
                with printing():
                    function(Asked(said.url, said.key, said.output or Form.TABLE, said.yes, said.watch), **given)

        command.__doc__, command.__name__ = function.__doc__, function.__name__
        command.__signature__ = inspect.Signature([context, *own, *added])  # type: ignore[attr-defined]
        register(command)
        return function

    return decorate
