"""`limner admin`: the queue and its jobs."""

from __future__ import annotations

import time
from typing import Annotated, Any, TextIO

import typer

from console.admin.asked import STRANGE, Asked, changing, group, note, path_of, reading, reading_group
from console.admin.completion import account_names, job_ids, job_states, user_names
from console.admin.service import BeforeId, Limit, more
from console.admin.words import ago, seconds
from console.endings import FAILED, NO_CONNECTION, Quit
from console.show import Column, as_json, as_pairs, as_table, cell

TERMINAL = ("done", "failed", "cancelled")
FOLLOW_EACH_S = 0.5

Id = Annotated[str, typer.Argument(metavar="ID", help="As `limner admin jobs` shows it.", autocompletion=job_ids)]
queue, job = group("The queue: who waits.", invoke_without_command=True), group("Single jobs.")


def register(app: typer.Typer) -> None:
    """Adds these commands."""
    reading(app, "jobs")(jobs)
    app.add_typer(queue, name="queue")
    app.add_typer(job, name="job")


@reading_group(queue)
def queue_shown(asked: Asked, limit: Limit = None, before: BeforeId = None) -> None:
    """The queue: how long it is, and who waits most."""
    asked.show(lambda: asked.list("queue", "users", limit, before), _queue)


def _queue(told: dict[str, Any], out: TextIO) -> None:
    waits = {f"wait {name}": seconds(told[f"wait_{name}_s"]) for name in ("p50", "p99")}
    as_pairs({name: told[name] for name in ("depth", "paused", "intake", "lanes")} | waits, out)
    if told["users"]:
        print(file=out)
        rows = [
            tuple(each[name] for name in ("name", "waiting", "drawing", "weight", "user")) for each in told["users"]
        ]
        as_table(("user", "waiting", "drawing", Column("weight", 1), Column("id", 2)), rows, out)
        more(told, out)


@changing(queue, "pause")
def pause(asked: Asked) -> None:
    """Let no drawing begin.

    New ones are still taken, and what is drawn goes on.
    """
    asked.change("Let no drawing begin until the queue is resumed?", "queue/pause")


@changing(queue, "resume")
def resume(asked: Asked) -> None:
    """Let drawings begin again."""
    asked.change("Let drawings begin again?", "queue/resume")


def jobs(
    asked: Asked,
    user: Annotated[str | None, typer.Option(help="Of this user only.", autocompletion=user_names)] = None,
    state: Annotated[
        str | None, typer.Option(help="In this state only: queued, drawing, failed, …", autocompletion=job_states)
    ] = None,
    account: Annotated[
        str | None, typer.Option(help="Drawn on this account only.", autocompletion=account_names)
    ] = None,
    limit: Limit = None,
    before: BeforeId = None,
) -> None:
    """Jobs, the newest first."""
    query = {"user": user, "state": state, "account": account}
    asked.show(lambda: asked.list("jobs", "jobs", limit, before, **query), _jobs)


def _jobs(told: dict[str, Any], out: TextIO) -> None:
    titles = (
        *(Column("job", cut=False), "user", "state", "at", Column("account", 2), Column("mode", 5), Column("kind", 6)),
        *(Column("age", 1, right=True), Column("code", 3), Column("prompt", 4)),
    )
    rows = [
        (
            *(each["job"], each["name"], each["status"], _place(each)),
            *(each["account"] or "", each["mode"], each["kind"], ago(each["created_at"]), each["code"] or ""),
            each["prompt"] or "",
        )
        for each in told["jobs"]
    ]
    as_table(titles, rows, out)
    more(told, out)


def _place(each: dict[str, Any]) -> str:
    """Its place in the queue, or how far it is drawn."""
    if each["status"] in TERMINAL:
        return ""
    if each.get("position") is not None:
        return f"place {each['position']}"
    return f"{each['percent']} %" if each.get("percent") else ""


@changing(job, "cancel")
def cancel(asked: Asked, job_id: Id) -> None:
    """Cancel a job for its user."""
    asked.change(f"Cancel the job {job_id}?", f"jobs/{path_of(job_id)}/cancel")


@changing(job, "retry")
def retry(asked: Asked, job_id: Id) -> None:
    """Order a failed job's drawing once more; prints the new job."""
    asked.change(f"Order what {job_id} was once more?", f"jobs/{path_of(job_id)}/retry")


@changing(job, "trace")
def trace(
    asked: Asked,
    job_id: Id,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Until it ends, or Ctrl-C.")] = False,
    for_s: Annotated[float | None, typer.Option("--seconds", help="How long its messages are noted  [300]")] = None,
) -> None:
    """Show a job's path through the service: its states, and from now on each message about it."""
    path = f"jobs/{path_of(job_id)}"
    asked.post(f"{path}/trace", seconds=for_s)  # changes nothing of the job, and so is not asked about
    if asked.to_json and not follow:
        as_json(asked.get(path))
        return
    shown: set[tuple[Any, ...]] = set()
    gone = False
    while True:
        try:
            told = asked.get(path)
        except Quit as quit:
            if not follow or quit.code != NO_CONNECTION:
                raise
            if not gone:
                note(f"{quit.message}; trying again")
            gone = True
        else:
            gone = False
            _print_new(asked, told, shown)
            if not follow or told["status"] in TERMINAL:
                return
        time.sleep(FOLLOW_EACH_S)


def _print_new(asked: Asked, told: Any, shown: set[tuple[Any, ...]]) -> None:
    """The rows of its timeline that were not shown yet."""
    try:
        width = max((len(row["by"] or "") for row in told["timeline"]), default=0)
        for row in told["timeline"]:
            known = (row["at"], row["what"], row["by"], row["detail"])
            if known in shown:
                continue
            shown.add(known)
            if asked.to_json:
                as_json(row)
            else:
                at, what, by, detail = (cell(part or "") for part in known)
                print(f"{at[11:23]}  {what:<14}  {by:<{width}}  {detail}".rstrip(), flush=True)
        assert isinstance(told["status"], str)
    except (KeyError, TypeError, AssertionError):
        raise Quit(FAILED, STRANGE) from None
