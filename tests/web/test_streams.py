"""Server-Sent Events of a job, and uploads, through the real server and actors."""

import asyncio
import io
import json

from PIL import Image

from tests.web.house import ACCOUNT, KEYS, VIEWER_KEY, Finish, Show, config_for_tests, play, until

PAINTER = f"account/{ACCOUNT}"
JOBS = "/api/v1/jobs"


async def place(house):
    job = (await house.ask("POST", JOBS, json={"prompt": "a fox"})).json["job"]
    await until(lambda: house.is_job(job, "drawing"))
    return job


class Listener:
    """Reads events off a stream."""

    def __init__(self, response):
        self.response = response

    async def next(self):
        """The next event as (kind, id, data); None at the end of the stream."""
        found = {}
        async with asyncio.timeout(10):
            while line := (await self.response.content.readline()).decode():
                if line == "\n":
                    if "data" in found:
                        return found["event"], found.get("id"), json.loads(found["data"])
                    continue
                name, _, value = line.rstrip("\n").partition(": ")
                found[name] = value
        return None


def listen(house, job, key=KEYS["ada"], last=None):
    headers = {"Authorization": f"Bearer {key}"} | ({"Last-Event-ID": last} if last is not None else {})
    return house.http.get(f"{house.url}{JOBS}/{job}/events", headers=headers)


def test_a_stream_tells_a_job_to_its_end_and_nothing_of_others(tmp_path):
    async def scene(house):
        job, other = await place(house), await place(house)
        async with listen(house, job) as response:
            assert response.headers["Content-Type"].startswith("text/event-stream")
            events = Listener(response)
            kind, event_id, shown = await events.next()
            assert (kind, event_id, shown["job"], shown["status"]) == ("job", None, job, "drawing")
            house.base.tell(PAINTER, Show(30))
            kind, event_id, progress = await events.next()
            assert (kind, event_id, progress["job"], progress["percent"]) == ("progress", None, job, 30)
            house.base.tell(PAINTER, Finish(other))
            house.base.tell(PAINTER, Finish(job))
            kind, event_id, done = await events.next()
            assert (kind, int(event_id), done["job"]) == ("done", done["seq"], job)
            assert await events.next() is None
        await until(lambda: house.process.sockets == {})

    play(tmp_path, scene)


def test_missed_events_are_replayed_after_the_last_id(tmp_path):
    async def scene(house):
        job = await place(house)
        house.base.tell(PAINTER, Finish())
        await until(lambda: house.is_job(job, "done"))
        async with listen(house, job, last="1") as response:
            events = Listener(response)
            assert [(await events.next())[:2] for _ in range(2)] == [("started", "2"), ("done", "3")]
            assert await events.next() is None
        async with listen(house, job, last="3") as response:
            events = Listener(response)
            assert (await events.next())[0] == "job"
            assert await events.next() is None

    play(tmp_path, scene)


def test_strangers_and_nonsense_are_refused_and_a_reader_that_leaves_is_forgotten(tmp_path):
    async def scene(house):
        job = await place(house)
        async with listen(house, job, KEYS["bob"]) as response:
            assert response.status == 404
        async with listen(house, job, last="x") as response:
            assert response.status == 400
        async with listen(house, job) as response:
            await Listener(response).next()
            assert len(house.process.sockets) == 1
            response.close()
        house.base.tell(PAINTER, Show(10))
        await until(lambda: house.process.sockets == {})

    play(tmp_path, scene)


def picture(size=(8, 8)):
    sink = io.BytesIO()
    Image.new("RGB", size, "red").save(sink, "PNG")
    return sink.getvalue()


def test_an_upload_is_checked_and_kept_under_its_owner(tmp_path):
    async def scene(house):
        data = picture()
        kept = await house.ask("POST", "/api/v1/uploads", data=data)
        assert kept.status == 201
        assert await house.process.pictures.get(f"uploads/u-ada/{kept.json['id']}") == data
        refused = await house.ask("POST", "/api/v1/uploads", data=b"<svg onload=alert(1)>")
        assert (refused.status, refused.json["code"]) == (400, "bad_prompt")
        for key, status in ((VIEWER_KEY, 403), (None, 401), ("wrong", 401)):
            assert (await house.ask("POST", "/api/v1/uploads", key, data=data)).status == status
        large = await house.ask("POST", "/api/v1/uploads", data=b"x" * 5000)
        assert large.status == 413

    play(tmp_path, scene, config_for_tests(limits={"upload_bytes": 4000}))
