"""A simulator killed with -9 goes on where it was: same tokens, same sessions, the drawings finish."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.sim.player import World, play

pytestmark = pytest.mark.live
OPTIONS = ("--seconds", "1.5", "--pictures", "canned")


@asynccontextmanager
async def process(*options: str, stdin: int | None = None) -> AsyncIterator[tuple[asyncio.subprocess.Process, Any]]:
    """`python -m sim` and its line; killed at the end."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sim", *OPTIONS, *options, stdout=asyncio.subprocess.PIPE, stdin=stdin
    )
    assert child.stdout is not None
    try:
        yield child, json.loads(await asyncio.wait_for(child.stdout.readline(), 20))
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


def test_after_kill_9_sessions_resume_and_drawings_finish(tmp_path: Path) -> None:
    async def whole() -> None:
        async with process("--data", str(tmp_path)) as (first, where), World.of(where) as world:
            async with world.player() as player:
                await player.imagine("survive")
                start = await player.event("MESSAGE_CREATE")
                await player.event("MESSAGE_UPDATE")
                first.send_signal(signal.SIGKILL)
                await first.wait()
                while "close" not in await player.frame():
                    pass
            async with process("--data", str(tmp_path)) as (_, again), World.of(again) as later:
                assert again == where, "the same tokens, channels and, when it is free, the same port"
                player.world = later
                await player.resume()
                final = await player.final()
                await player.event("MESSAGE_DELETE", id=start["id"])
                assert (await player.fetch(final["attachments"][0]["url"]))[0] == 200
                rows = (await later.sim("ledger"))["rows"]
                assert [(row["outcome"], row["message_id"]) for row in rows] == [("done", final["id"])]
                assert (await later.sim("stats"))["identifies"] == 0

    asyncio.run(whole())


def test_a_second_start_has_the_whole_ledger_and_the_history(tmp_path: Path) -> None:
    kept: list[Any] = []

    async def first(world: World) -> None:
        async with world.player() as player:
            await player.interact({"type": 4, "data": {}})
            final = await player.drawing("p")
            kept.extend(
                [(await world.sim("ledger"))["rows"], final["id"], await player.fetch(final["attachments"][0]["url"])]
            )

    async def second(world: World) -> None:
        async with world.player() as player:
            assert (await world.sim("ledger"))["rows"] == kept[0]
            assert [row["outcome"] for row in kept[0]] == ["refused", "done"]
            _, history = await player.call("GET", f"/channels/{player.account['channel_id']}/messages")
            assert history[-1]["id"] == kept[1]
            assert await player.fetch(history[-1]["attachments"][0]["url"]) == kept[2]
            await player.press(history[-1], "MJ::JOB::upsample::1")
            assert "Image #1" in (await player.final())["content"]

    play(first, data=tmp_path)
    play(second, data=tmp_path)


def test_it_ends_when_its_standard_input_does() -> None:
    async def whole() -> None:
        async with process("--until-stdin-closes", stdin=asyncio.subprocess.PIPE) as (child, _):
            assert child.stdin is not None
            child.stdin.close()
            assert await asyncio.wait_for(child.wait(), 10) == 0

    asyncio.run(whole())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's signal at a parent's death is Linux's")
def test_it_ends_when_its_parent_is_killed() -> None:
    command = ["-m", "sim", "--until-stdin-closes", *OPTIONS]
    code = (
        "import subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, *{command!r}], stdin=subprocess.PIPE)\n"
        "time.sleep(60)\n"
    )

    async def whole() -> None:
        parent = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
        assert parent.stdout is not None
        assert json.loads(await asyncio.wait_for(parent.stdout.readline(), 20))["api"]
        parent.kill()
        # The pipe's other end was the simulator's: it reads to its end when the simulator is gone.
        assert await asyncio.wait_for(parent.stdout.read(), 10) == b""
        await parent.wait()

    asyncio.run(whole())


def test_a_busy_port_and_a_busy_folder_are_one_line_and_exit_2(tmp_path: Path) -> None:
    async def failing(*options: str) -> str:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "sim", *options, stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL
        )
        _, said = await asyncio.wait_for(child.communicate(), 20)
        assert child.returncode == 2
        return said.decode()

    async def whole() -> None:
        async with process("--data", str(tmp_path)) as (_, where):
            port = where["api"].split(":")[2].split("/")[0]
            assert (
                await failing("--port", port)
                == f"limner sim: port {port} is taken: choose another --port, or 0 for any\n"
            )
            assert (await failing("--data", str(tmp_path))).startswith("limner sim: another simulator uses ")
        assert (await failing("--data", os.devnull)).count("\n") == 1
        assert "--seconds" in await failing("--seconds", "0")

    asyncio.run(whole())


def test_two_runs_with_one_seed_have_the_same_people() -> None:
    seen: list[Any] = []

    async def scenario(world: World) -> None:
        seen.append([world.where[name] for name in ("accounts", "bot_tokens", "guild_id")])

    play(scenario, seed=5)
    play(scenario, seed=5)
    play(scenario, seed=6)
    assert seen[0] == seen[1] != seen[2]
