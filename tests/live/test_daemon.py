"""The daemon as a person and an operator have it: real processes, a real port, a simulated Discord."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.live.daemon import LIMNER, STOP_S_MAX, Daemon, ask, environment, eventually, ledger, limner

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

SLOW_S, QUICK_S = 4.0, 1.0


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Daemon]]:
    """Starts daemons of the test's own; they end with it."""
    running: list[Daemon] = []

    def start_one(*options: str, sim_seconds: float | None = QUICK_S, until_ready: bool = True) -> Daemon:
        folder = tmp_path / f"daemon-{len(running)}"
        folder.mkdir()
        running.append(Daemon(folder, *options, sim_seconds=sim_seconds))
        return running[-1].start(until_ready)

    yield start_one
    for daemon in running:
        daemon.stop()


def words_in(png: bytes) -> dict[str, str]:
    """Prompt and nonce that the simulator wrote into the picture."""
    with Image.open(io.BytesIO(png)) as picture:
        picture.load()
        return {"prompt": picture.text["limner:prompt"], "nonce": picture.text["limner:nonce"]}


# --- drawing ------------------------------------------------------------------------------------------------------


def test_a_drawing_from_a_terminal_ends_as_the_jobs_own_picture_on_disk(daemon):
    drawn = daemon.limner("draw", "a red fox in snow", "-o", "fox.png")
    assert (drawn.returncode, drawn.stdout, drawn.stderr) == (0, "fox.png\n", "")
    words = words_in((daemon.folder / "fox.png").read_bytes())
    assert words["prompt"].startswith("a red fox in snow")
    rows = [row for row in daemon.ledger() if row["nonce"] == words["nonce"]]
    assert [row["outcome"] for row in rows] == ["done"]


def test_a_drawing_can_be_told_as_json_on_one_line(daemon):
    drawn = daemon.limner("draw", "a green door", "--json", "-o", str(daemon.folder))
    assert drawn.returncode == 0, drawn.stderr
    job = json.loads(drawn.stdout)
    assert drawn.stdout.count("\n") == 1
    assert (job["status"], job["prompt"]) == ("done", "a green door")
    assert (daemon.folder / f"limner-{job['job']}.png").stat().st_size == job["images"][0]["bytes"]


def test_two_users_with_the_same_prompt_at_once_each_get_their_own_picture(daemon):
    keys = {name: daemon.add_user(name) for name in ("bea", "cem")}
    drawing = {
        name: daemon.begin("draw", "the same boat", "--url", daemon.url, "--key", key, "-o", f"{name}.png", "--json")
        for name, key in keys.items()
    }
    jobs = {}
    for name, process in drawing.items():
        out, err = process.communicate(timeout=90)
        assert process.returncode == 0, err
        jobs[name] = json.loads(out)["job"]
    nonces = {name: words_in((daemon.folder / f"{name}.png").read_bytes())["nonce"] for name in keys}
    assert len(set(nonces.values())) == 2
    for name in keys:
        status, shown = ask(f"{daemon.url}/api/v1/jobs/{jobs[name]}", keys[name])
        assert (status, shown["status"]) == (200, "done")
    others = ask(f"{daemon.url}/api/v1/jobs/{jobs['bea']}", keys["cem"])
    assert others[0] == 404


def test_ctrl_c_asks_to_cancel_and_exits_130(start):
    daemon = start(sim_seconds=SLOW_S)
    drawing = daemon.begin("draw", "a bell", "-o", "bell.png")
    page = eventually(lambda: ask(f"{daemon.url}/api/v1/jobs", daemon.key)[1].get("jobs"), "the job is there")
    drawing.send_signal(signal.SIGINT)
    out, err = drawing.communicate(timeout=30)
    assert (drawing.returncode, out) == (130, "")
    assert "asked to cancel" in err
    assert daemon.await_status(page[0]["job"], "cancelled", "done")["status"] == "cancelled"


# --- death and return ---------------------------------------------------------------------------------------------


def test_a_daemon_killed_in_the_middle_draws_everything_once_when_it_is_back(start):
    daemon = start(sim_seconds=SLOW_S)
    drawing = daemon.begin("draw", "a lighthouse", "-o", "house.png")
    eventually(lambda: ask(f"{daemon.url}/api/v1/jobs", daemon.key)[1]["jobs"], "the command's job is there")
    jobs = [daemon.submit(f"a wave, number {number}") for number in range(7)]
    daemon.await_status(jobs[0], "drawing")
    daemon.kill()
    daemon.start()
    for job in jobs:
        daemon.await_status(job, "done")
    out, err = drawing.communicate(timeout=90)
    assert (drawing.returncode, out) == (0, "house.png\n"), err
    rows = daemon.ledger()
    assert len(rows) == len(jobs) + 1
    assert len({row["prompt"] for row in rows}) == len(rows)
    assert ask(f"{daemon.sim}/_sim/stats")[1]["duplicates"] == 0


def test_nothing_of_a_killed_daemon_stays_behind(start):
    daemon = start()
    daemon.await_status(daemon.submit("a stone"), "done")  # by now there is a pool of workers too
    children = children_of(daemon.process.pid)
    assert len(children) >= 2
    daemon.kill()
    eventually(lambda: not any(map(is_running, children)), "its children have ended", STOP_S_MAX)


def children_of(pid: int) -> list[int]:
    """All living processes below one."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found += [int(stat.parent.name), *children_of(int(stat.parent.name))]
    return found


def is_running(pid: int) -> bool:
    """Whether it is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_sigterm_is_an_orderly_end_within_ten_seconds_and_queued_jobs_go_on_at_the_next_start(start):
    daemon = start(sim_seconds=SLOW_S)
    jobs = [daemon.submit(f"a cloud, number {number}") for number in range(8)]
    assert daemon.stop() == 0
    assert '"event": "stopped"' in daemon.log()
    assert "Traceback" not in daemon.log()
    daemon.start()
    for job in jobs:
        daemon.await_status(job, "done")
    assert len(daemon.ledger()) == len(jobs)


def test_a_terminal_that_goes_away_is_an_orderly_end_also_when_kernel_and_shell_both_tell(start):
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whatever these tests themselves run under
    try:
        daemon = start()
    finally:
        signal.signal(signal.SIGHUP, before)
    daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: '"event": "stopping"' in daemon.log(), "it stops")
    assert daemon.stop(signal.SIGHUP) == 0
    assert '"event": "stopped"' in daemon.log()
    assert "Traceback" not in daemon.log()


def test_under_nohup_it_outlives_its_terminal(start):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # inherited, as from nohup
    try:
        daemon = start()
    finally:
        signal.signal(signal.SIGHUP, before)
    daemon.process.send_signal(signal.SIGHUP)
    daemon.await_status(daemon.submit("a lighthouse"), "done")
    assert daemon.stop() == 0


def test_keys_address_and_pictures_are_the_same_after_a_restart(start):
    daemon = start()
    before = (daemon.key, daemon.admin_key, daemon.sim)
    job = daemon.submit("a bridge")
    picture = daemon.picture(daemon.await_status(job, "done"))
    assert daemon.stop() == 0
    daemon.start()
    assert (daemon.key, daemon.admin_key, daemon.sim) == before
    assert daemon.picture(daemon.job(job)) == picture
    for kept in ("demo.json", "limner.db", "limner.db-wal"):
        assert (daemon.data / kept).stat().st_mode & 0o077 == 0, kept


def test_an_account_restarted_by_the_operator_in_the_middle_of_a_drawing_finishes_it(start):
    daemon = start(sim_seconds=SLOW_S)
    job = daemon.submit("a clock")
    daemon.await_status(job, "drawing")
    account = eventually(lambda: next((row["account"] for row in daemon.ledger()), None), "somebody draws it")
    restarted = daemon.limner("admin", "actor", "restart", f"account/{account}", "--yes")
    assert restarted.returncode == 0, restarted.stderr
    assert daemon.await_status(job, "done", "failed")["status"] == "done"
    tree = json.loads(daemon.limner("admin", "tree", "-o", "json").stdout)["actors"]
    uptimes = {actor["name"]: actor["uptime_s"] for actor in tree if (actor["name"] or "").startswith("account/")}
    assert all(uptimes[f"account/{account}"] < up for name, up in uptimes.items() if name != f"account/{account}")
    assert [row["outcome"] for row in daemon.ledger()] == ["done"]


def test_the_root_restarted_by_the_operator_starts_everything_again_and_loses_nothing(start):
    daemon = start(sim_seconds=SLOW_S)
    job = daemon.submit("a phoenix")
    daemon.await_status(job, "drawing")
    restarted = daemon.limner("admin", "actor", "restart", "root", "--yes")
    assert restarted.returncode == 0, restarted.stderr
    eventually(lambda: daemon.ready() == (200, []), "it is ready again")
    assert daemon.await_status(job, "done", "failed")["status"] == "done"
    assert [row["outcome"] for row in daemon.ledger()] == ["done"]


def test_a_service_whose_parts_keep_dying_gives_up_with_exit_1_and_says_so(start):
    daemon = start()
    parts = ("scheduler", "lobby", "monitor", "gallery", "queue", "accounts")

    def killed_often() -> bool:
        for part in parts:
            ask(f"{daemon.url}/admin/v1/actors/{part}/restart", daemon.admin_key, {})
        return daemon.process.poll() is not None

    eventually(killed_often, "it has given up")
    assert daemon.process.returncode == 1
    last = daemon.log().splitlines()[-1]
    assert last.startswith("limner: the service gave up: TooManyRestarts")


def test_a_discord_that_is_down_is_told_by_readyz_and_jobs_wait_for_it(start, tmp_path):
    simulator, found = start_simulator(tmp_path, 0)
    (tmp_path / "limner.toml").write_text(config_for(found))
    daemon = start("--config", str(tmp_path / "limner.toml"), sim_seconds=None)
    try:
        daemon.admin_key = "the-operators-key"
        key = daemon.add_user("dan")
        assert daemon.ready() == (200, [])
        simulator.kill()
        simulator.wait(STOP_S_MAX)
        eventually(lambda: daemon.ready() == (503, ["no_account_up"]), "readyz says so")
        job = daemon.submit("a patient fox", key)
        assert daemon.job(job, key)["status"] == "queued"
        simulator, _ = start_simulator(tmp_path, int(found["api"].split(":")[2].split("/")[0]))
        assert daemon.await_status(job, "done", key=key)["charged"] is True
        assert daemon.ready() == (200, [])
        assert [row["outcome"] for row in ledger(found["api"].partition("/api/")[0])] == ["done"]
    finally:
        simulator.kill()
        simulator.communicate()


def start_simulator(folder: Path, port: int) -> tuple[subprocess.Popen[str], dict]:
    """`limner sim` by itself, and what it announces."""
    process = subprocess.Popen(
        [*LIMNER, "sim", "--port", str(port), "--data", str(folder / "sim"), "--seconds", str(QUICK_S)],
        env=environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return process, json.loads(process.stdout.readline())


def config_for(found: dict) -> str:
    """A config that draws through a simulator."""
    account = found["accounts"][0]
    return f"""
[admin]
key = "the-operators-key"
[discord]
api = "{found["api"]}"
gateway = "{found["gateway"]}"
cdn = "{found["cdn"]}"
[[accounts]]
name = "{account["name"]}"
kind = "user"
token = "{account["token"]}"
guild_id = "{found["guild_id"]}"
channel_id = "{account["channel_id"]}"
"""


def test_a_simulated_discord_that_dies_under_a_demo_is_started_again_at_the_same_address(start):
    daemon = start()
    simulator = next(pid for pid in children_of(daemon.process.pid) if b"sim" in command_of(pid))
    os.kill(simulator, signal.SIGKILL)
    job = daemon.submit("a phoenix")
    assert daemon.await_status(job, "done", "failed")["status"] == "done"


def command_of(pid: int) -> list[bytes]:
    """The words of a process's command line."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")


# --- bad input ----------------------------------------------------------------------------------------------------


def is_one_line(text: str) -> bool:
    return text.endswith("\n") and text.count("\n") == 1


def test_a_busy_port_is_exit_2_and_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = limner("serve", "--port", str(port), cwd=tmp_path)
    assert ended.returncode == 2
    assert is_one_line(ended.stderr)
    assert f"port {port} is busy" in ended.stderr


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("[server]\nprot = 8080\n", "line 2: server.prot"),
        ("[limits]\n\nqueue_max = 'many'\n", "line 3: limits.queue_max"),
        ("[[accounts]]\nname = 'a'\nguild_id = '1'\nchannel_id = '2'\n", "line 1: accounts.1.token"),
        ("[admin]\nkey = '${LIMNER_NOWHERE}'\n", "line 2: admin.key"),
        ("[server\n", "line 1"),
        (
            "[[accounts]]\nname = 'a'\nkind = 'user'\ntoken = 'secret-token'\nguild_id = '1'\nchannel_id = '2'\n",
            "line 3: accounts.1.kind: Discord forbids",
        ),
    ],
)
def test_a_mistake_in_the_config_is_exit_2_naming_key_and_line(tmp_path, config, told):
    (tmp_path / "limner.toml").write_text(config)
    ended = limner("serve", "--config", "limner.toml", "--port", "0", cwd=tmp_path)
    assert ended.returncode == 2
    assert is_one_line(ended.stderr)
    assert told in ended.stderr
    assert "secret-token" not in ended.stderr


def test_a_data_folder_that_cannot_be_one_is_exit_2(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    ended = limner("serve", "--data", "file", "--port", "0", cwd=tmp_path)
    assert ended.returncode == 2
    assert is_one_line(ended.stderr)
    assert "cannot write to file" in ended.stderr


def test_a_database_that_is_none_is_exit_2(tmp_path):
    (tmp_path / "limner-data").mkdir()
    (tmp_path / "limner-data" / "limner.db").write_text("this is a diary, not a database" * 100)
    ended = limner("serve", "--port", "0", cwd=tmp_path)
    assert ended.returncode == 2
    assert "not a database" in ended.stderr


def test_a_second_daemon_on_the_same_data_is_exit_2(daemon):
    ended = daemon.limner("serve", "--port", "0")
    assert ended.returncode == 2
    assert is_one_line(ended.stderr)
    assert "another limner works in limner-data" in ended.stderr


def test_a_wrong_key_is_exit_3_and_nobody_there_is_exit_4(daemon):
    refused = daemon.limner("draw", "a fox", "--url", daemon.url, "--key", "wrong")
    assert (refused.returncode, refused.stdout) == (3, "")
    assert is_one_line(refused.stderr)
    nobody = daemon.limner("draw", "a fox", "--url", "http://127.0.0.1:9", "--key", "any")
    assert nobody.returncode == 4
    assert is_one_line(nobody.stderr)


def test_a_prompt_that_is_too_long_is_refused_and_nothing_is_charged(daemon):
    ended = daemon.limner("draw", "x" * 5000)
    assert ended.returncode == 3
    assert "bad_prompt" in ended.stderr
    assert ask(f"{daemon.url}/api/v1/me", daemon.key)[0] == 200


def test_an_admin_change_without_a_yes_is_not_made(daemon):
    asked = daemon.limner("admin", "user", "add", "eve")
    assert asked.returncode == 2
    assert "--yes" in asked.stderr
    assert daemon.limner("admin", "user", "add", "eve", "--yes").returncode == 0
    assert daemon.limner("admin", "user", "add", "eve", "--yes").returncode == 3


def test_a_users_key_gives_no_orders(daemon):
    refused = daemon.limner("admin", "status", "--url", daemon.url, "--key", daemon.key)
    assert refused.returncode == 3
    assert "forbidden" in refused.stderr


def test_secrets_and_prompts_are_not_in_the_log(daemon):
    daemon.limner("draw", "an unmistakable walrus", "-o", "walrus.png")
    daemon.limner("draw", "x", "--url", daemon.url, "--key", "limner_wrong.0123456789abcdef")
    for secret in (daemon.key, daemon.admin_key, "walrus", "0123456789abcdef"):
        assert secret not in daemon.log()
