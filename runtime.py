"""Limner, the program: the commands of `limner`, and the daemon put together from its parts.

    limner serve     config → ground (port, folder) → simulator → actors → web server, until a signal
    limner draw      one drawing through a running daemon      limner admin   the operator's instructions
    limner doctor    what is wrong, a line each                limner sim     the simulated Discord by itself

Whatever is slow to import is imported by the command that needs it, when it does.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from enum import StrEnum
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.admin import admin
from console.endings import FAILED, INTERRUPTED, NO_CONNECTION, USAGE, Quit, hush, mistaken
from console.options import DATA, ConfigFile, DataFolder, Key, Url
from console.tui.command import console

if TYPE_CHECKING:
    from actors.process import Process
    from console.ground import Ground
    from core.config import Config, Secret
    from storage.added import AddedAccount

SLOW_IMPORTS = ("actors.root", "system.discord_links", "web.app")
#: A stop takes 10 s at most (CONTRACT §1): these, and web/app.py's GOODBYE_S.
NOTICE_S = 0.2
ACTORS_STOP_S_MAX = 4.5
ACTORS_FORCE_S_MAX = 1.0
STOPS, HANG_UPS = (signal.SIGTERM, signal.SIGINT), (signal.SIGHUP,)
READY_POLL_S = 0.05
#: New containers after which cycles are looked for. We make few, and each look goes through what ten thousand sessions
#: hold: at Python's own 700 it took a fifth of the CPU of a peak, and half of the longest waits for an answer.
GC_EACH, GC_OLDER_EACH, GC_OLDEST_EACH = 50_000, 20, 100
READY_WARN_S = 15.0
TERMS = (
    "Discord forbids automating personal accounts and Midjourney restricts automation; "
    'README, "Terms", says what that means for you.'
)

app = typer.Typer(
    rich_markup_mode=None, pretty_exceptions_enable=False,
    help="A self-hosted AI drawing service: it queues, draws through Discord accounts, and loses nothing.",
)  # fmt: skip
app.add_typer(admin, name="admin")
app.command()(console)


class Mode(StrEnum):
    """How a drawing is paid for at the drawing bot."""

    FAST = "fast"
    RELAX = "relax"
    TURBO = "turbo"


class Pictures(StrEnum):
    """What the simulator draws."""

    PAINTED = "painted"
    CANNED = "canned"


# --- commands -----------------------------------------------------------------------------------------------------


@app.command()
def serve(
    config: ConfigFile = None,
    data: DataFolder = DATA,
    host: Annotated[str | None, typer.Option(help="Address to listen on  [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, 0: any  [default: 8080]")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Draw through a simulated Discord, with a demo user.")] = False,
    sim_seconds: Annotated[float | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run the daemon: the page, the API, and every actor, in one process."""
    from console.ground import take_ground
    from console.settings import load, load_again

    settings = load(config, host, port, os.environ)
    ground = take_ground(settings, data)
    again = None if config is None else lambda: load_again(config, host, port, os.environ)
    raise typer.Exit(_run(lambda: run_daemon(settings, ground, demo or config is None, sim_seconds, again)))


@app.command()
def draw(
    prompt: Annotated[str, typer.Argument(help="What to draw.", show_default=False)],
    url: Url = None,
    key: Key = None,
    mode: Annotated[Mode, typer.Option(help="How it is paid for at the drawing bot.")] = Mode.FAST,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File or folder  [limner-JOB.png]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the job as one line, not the path.")] = False,
) -> None:
    """Draw a prompt through a running daemon, and save the picture."""
    from console.draw import draw as draw_it
    from console.reach import find_daemon

    draw_it(find_daemon(url, key, DATA), prompt, mode.value, output, as_json)


@app.command()
def doctor(config: ConfigFile = None, data: DataFolder = DATA) -> None:
    """Check config, data folder, port, database, image store and Discord's addresses."""
    from console.doctor import examine

    raise typer.Exit(0 if examine(config, data, os.environ) else FAILED)


@app.command()
def sim(
    port: Annotated[int, typer.Option(help="0: any")] = 0,
    accounts: Annotated[int, typer.Option(help="User accounts in the guild.")] = 2,
    bots: Annotated[int, typer.Option(help="Bot accounts in the guild.")] = 1,
    seed: Annotated[int | None, typer.Option(help="The same seed, the same pictures and tokens.")] = None,
    seconds: Annotated[float, typer.Option(help="How long a drawing takes.")] = 6.0,
    data: Annotated[Path | None, typer.Option(help="Keep everything in this folder; else in memory.")] = None,
    pictures: Annotated[Pictures, typer.Option(help="canned: one tiny picture, for load.")] = Pictures.PAINTED,
) -> None:
    """Run the simulated Discord alone, on loopback; prints where it is as one JSON line."""
    from sim.main import run

    run(port, accounts, bots, seed, seconds, data, pictures.value)


# --- the daemon ---------------------------------------------------------------------------------------------------


async def run_daemon(
    config: Config,
    ground: Ground,
    with_demo: bool,
    sim_seconds: float | None,
    again: Callable[[], Config] | None = None,
) -> int:
    """The daemon's whole life; its exit code. `again` reads the config anew, should the operator ask for it.

    Raises Quit for what is wrong before it is up.
    """
    from console import demo as demos
    from console.ground import own_url
    from console.logs import secrets_of, set_up_logs
    from core.config import Secret
    from system.tracing import open_traces

    events, levels = set_up_logs(secrets_of(config))
    simulator, demo = None, None
    completed: Callable[[Config], Config] = lambda config: config  # noqa: E731
    try:
        if with_demo:
            simulator = demos.Simulator(ground.data / "sim", sim_seconds)
            await simulator.spawn()
            for slow in SLOW_IMPORTS:  # while the simulator starts
                import_module(slow)
            announced = await simulator.announced()
            demo = demos.keep_demo(ground.data, own_url(config, ground.listener), announced.base, config.admin.key)
            completed = partial(
                demos.with_simulator, announced=announced, demo=demo, token_key=demos.keep_token_key(ground.data)
            )
            config = completed(config)
        process = open_process(config, ground.data, Secret(demo.key) if demo else None)
        process.events, process.log_levels, process.traces = events, levels, open_traces(os.environ)
        known = (*secrets_of(config, process.added), *([demo.key] if demo else []))
        set_up_logs(known, events=events, levels=levels)
        if again is not None:

            def reread() -> Config:
                fresh = completed(again())
                set_up_logs((*known, *secrets_of(fresh)), events=events, levels=levels)
                return fresh

            process.reread = reread
        gc.freeze()  # what has been imported lasts
        gc.set_threshold(GC_EACH, GC_OLDER_EACH, GC_OLDEST_EACH)
        daemon = Daemon(process, ground)
        return await daemon.live(simulator.keep_running() if simulator else None)
    finally:
        if simulator is not None:
            await simulator.stop()
        ground.release()


def open_process(config: Config, data: Path, demo_key: Secret | None) -> Process:
    """Opens what lasts as long as the process, and tries it. Raises Quit when it cannot be used."""
    from actors.added import take_in
    from actors.process import Process
    from console.settings import database_url, pictures_url
    from console.workers import Workers
    from storage.database import StoreTrouble
    from storage.pictures import PictureTrouble, open_pictures
    from system.discord_links import DiscordLinks

    url = database_url(config, data)
    try:
        stored = stored_accounts(url)
        pictures = open_pictures(pictures_url(config, data))
    except StoreTrouble as trouble:
        code = NO_CONNECTION if trouble.code == "unavailable" else USAGE
        raise Quit(code, f"the database: {trouble.message}") from None
    except PictureTrouble as trouble:
        raise Quit(USAGE, str(trouble)) from None
    links = DiscordLinks(config.discord.api, config.discord.proxy)
    process = Process(config, data, links, pictures, Workers(), database=url, demo_key=demo_key)
    take_in(process, stored)
    return process


def stored_accounts(url: str) -> tuple[AddedAccount, ...]:
    """Opens the database, migrates it if need be, and reads which accounts operators added. Raises StoreTrouble."""
    from storage.added import AddedAccounts, ReadAccounts
    from storage.database import open_database
    from storage.reads import find

    database = open_database(url)
    try:
        with database.reading() as connection:
            found = find(connection, ReadAccounts())
    finally:
        database.close()
    return found.accounts if isinstance(found, AddedAccounts) else ()


class Daemon:
    """The actor system and the web server on the running loop, from their start to their end."""

    def __init__(self, process: Process, ground: Ground) -> None:
        """Raises Quit when the web server refuses its settings."""
        import structlog

        from console.ground import page_url
        from system.loop_base import run_on
        from web.app import make_server

        self.process, self.ground = process, ground
        self.loop = asyncio.get_running_loop()
        self.base = run_on(self.loop, process=process)
        try:
            self.server = make_server(process, self.base.tell)
        except (ValueError, OSError) as error:
            raise Quit(USAGE, f"the web server refuses its settings: {error}") from None
        self.url = page_url(process.config, ground.listener)
        self.log = structlog.get_logger("limner")

    async def live(self, companion: Coroutine[Any, Any, None] | None) -> int:
        """Starts everything, waits for a signal, and stops in order; the exit code. `companion` runs meanwhile.

        Raises Quit when the root actor has given up: all below it has been started again too often.
        """
        signalled: asyncio.Future[int] = self.loop.create_future()
        for number in (*STOPS, *HANG_UPS):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                self.loop.add_signal_handler(number, self._hear_signal, signalled, number)
        root = asyncio.ensure_future(self._keep_root())
        web = asyncio.ensure_future(self.server.carry(self.ground.listener))
        beside = [asyncio.ensure_future(each) for each in (self._announce(), companion) if each is not None]
        try:
            awaited: set[asyncio.Future[Any]] = {signalled, root, web, *beside[1:]}
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
        reason = root.result() if root.done() else None
        await self._stop(root, web)
        if not signalled.done():
            raise Quit(FAILED, f"the service gave up: {reason or 'a part of it ended'}; the log above says why")
        return INTERRUPTED if signalled.result() == signal.SIGINT else 0

    async def _keep_root(self) -> str | None:
        """The root actor until it ends or gives up; why it did. One that the operator restarts is started here."""
        from actors.root import Root
        from actors.shell import Killed, Start

        while True:
            self.base.create(Root, "root")
            ended = asyncio.ensure_future(self.base.ended("root"))
            self.base.tell("root", Start("root"))
            reason = await ended
            if reason is None or not reason.startswith(f"{Killed.__name__}:"):
                return reason
            self.log.warning("everything is started again", reason=reason)

    def _hear_signal(self, signalled: asyncio.Future[int], number: int) -> None:
        """The first signal asks for an orderly stop; a second one gets what it would get of any program, save the end
        of the terminal, which the kernel and the shell may both tell."""
        if not signalled.done():
            signalled.set_result(number)
            for each in STOPS:
                self.loop.remove_signal_handler(each)

    async def _announce(self) -> None:
        """Says where we are as soon as GET /readyz would answer 200; says why not when that takes long."""
        from protocol.api import ReadyShown, ShowReady
        from protocol.client import ClientMistake

        desk = self.server.config.app.state.desk  # type: ignore[union-attr]
        warn_at = self.loop.time() + READY_WARN_S
        self.log.info("listening", url=self.url)
        while True:
            try:
                shown = await desk.ask_for(ReadyShown, "", None, ShowReady())
            except ClientMistake as mistake:
                shown = ReadyShown(False, (mistake.code,))
            if shown.ready and self.server.started:
                break
            if self.loop.time() >= warn_at:
                warn_at += READY_WARN_S
                self.log.warning("not ready yet", reasons=shown.reasons)
            await asyncio.sleep(READY_POLL_S)
        self._greet()

    def _greet(self) -> None:
        from console.demo import greeting
        from console.ground import own_url

        lines = [f"limner ready {self.url}", f"  page      {self.url}/"]
        if self.process.demo_key is not None:
            near = own_url(self.process.config, self.ground.listener)
            lines += greeting(self.ground.data, near, self.process.demo_key)
        print("\n".join([*lines, f"  terms     {TERMS}"]), flush=True)

    async def _stop(self, root: asyncio.Future[str | None], web: asyncio.Future[None]) -> None:
        """No new jobs, clients told, the web closed, actors ended in order, and all that was taken committed."""
        from actors.queue.messages import Drain
        from actors.supervisor import Shutdown

        self.log.info("stopping")
        self.base.tell("gate", Drain())
        self.base.tell("queue", Drain())
        await asyncio.wait({root}, timeout=NOTICE_S)  # the notices are on their way
        self.server.should_exit = True
        await asyncio.gather(web, return_exceptions=True)
        self.base.tell("root", Shutdown())
        _, late = await asyncio.wait({root}, timeout=ACTORS_STOP_S_MAX)
        if late:
            self.log.error("actors did not stop in time", limit_s=ACTORS_STOP_S_MAX)
        await self.base.stop(ACTORS_FORCE_S_MAX)
        self.process.pool.shutdown(wait=False, cancel_futures=True)
        await self.process.links.close()
        self.log.info("stopped")


# --- the end ------------------------------------------------------------------------------------------------------


def _run(make: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Runs the coroutine on uvloop."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(make())


def main(arguments: list[str] | None = None) -> int:
    """`limner`: runs a command; the exit codes are those of CONTRACT §1, errors are one line on stderr."""
    command = typer.main.get_command(app)
    try:
        code = command.main(arguments or sys.argv[1:] or ["--help"], prog_name="limner", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except Quit as quit:
        return _say(quit.code, quit.message)
    except typer.TyperException as mistake:
        ending = mistaken(mistake)
        return _say(ending.code, ending.message)
    except (KeyboardInterrupt, typer.Abort):
        return _say(INTERRUPTED, "interrupted")
    except BrokenPipeError:
        hush()
        return FAILED


def _say(code: int, message: str) -> int:
    print(f"limner: {message}", file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
