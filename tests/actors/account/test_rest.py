"""An account's REST calls: none is begun too late, and none is made with a token that Discord refuses."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from actors.account.rest import Rest, TokenRefused
from core.config import AccountConfig, Secret
from protocol import rest
from protocol.buckets import InvalidBudget
from protocol.rest import Request
from system.links import LinkBroken, Response

ME, CALLBACK = rest.get_me(), rest.post_callback("1", "t", {})


class Links:
    """Discord, which answers with these, one after the other."""

    def __init__(self, *answers: Response) -> None:
        self.answers = list(answers)
        self.asked: list[Request] = []

    async def request(self, request: Request, authorization: Any) -> Response:
        self.asked.append(request)
        return self.answers.pop(0)


class Owner:
    """What Rest needs of its actor."""

    def __init__(self, links: Links) -> None:
        self.process = SimpleNamespace(links=links, invalid_answers=InvalidBudget())
        self.posted: list[Any] = []
        self.told: list[Any] = []

    def now(self) -> float:
        return 100.0

    def post(self, message: Any) -> None:
        self.posted.append(message)

    def tell(self, name: str, message: Any) -> None:
        self.told.append((name, message))


def calls(*statuses: int) -> tuple[Rest, Owner, Links]:
    links = Links(*(Response(status, {}, b"{}") for status in statuses))
    owner = Owner(links)
    return Rest(owner, AccountConfig("fox", Secret("t"), "1", "2")), owner, links  # type: ignore[arg-type]


def test_a_token_that_is_refused_is_told_once_and_used_no_more_until_the_operator_says_so() -> None:
    account, owner, links = calls(401, 200)

    async def scene() -> None:
        assert (await account.send(ME, 200.0)).status == 401
        for _ in range(3):
            with pytest.raises(LinkBroken) as broken:
                await account.send(ME, 200.0)
            assert broken.value.sent is False
        assert owner.posted == [TokenRefused(ME.route)]
        assert len(links.asked) == 1
        account.reopen()
        assert (await account.send(ME, 200.0)).status == 200

    asyncio.run(scene())


@pytest.mark.parametrize(("request_", "status"), [(CALLBACK, 401), (ME, 403), (ME, 404)])
def test_other_refusals_say_nothing_of_the_token(request_: Request, status: int) -> None:
    account, owner, links = calls(status, 200)

    async def scene() -> None:
        await account.send(request_, 200.0)
        assert (await account.send(ME, 200.0)).status == 200

    asyncio.run(scene())
    assert owner.posted == []
    assert len(links.asked) == 2


def test_a_call_that_cannot_begin_in_time_is_not_begun() -> None:
    account, _, links = calls(200)

    async def scene() -> None:
        with pytest.raises(LinkBroken) as broken:
            await account.send(ME, 99.0)
        assert broken.value.sent is False

    asyncio.run(scene())
    assert links.asked == []
