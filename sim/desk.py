"""Desk: the interactions of users with other bots than the drawing bot, from the press to the last follow-up (IN).

A user's client presses; the bot hears INTERACTION_CREATE and has ANSWER_S to call back, else the interaction is dead
and the user is told that it failed. Its token then lives TOKEN_S for edits and follow-ups. All of it is in memory: a
simulator that is started anew knows no old tokens, as Discord knows none that are older than a quarter of an hour.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, TypeVar

import msgspec

from sim.applications import Applications
from sim.compose import Composer
from sim.crier import Crier
from sim.errors import Refusal, invalid_form, unknown
from sim.identity import Account
from sim.ledger import DONE, FAILED, Row
from sim.messages import AUTOCOMPLETE, COMMAND, COMPONENT, EPHEMERAL, LOADING, MODAL, Attachment, Message, Origin
from sim.parts import Parts
from sim.resolve import resolved, typed_options
from sim.welcome import Greeter, member_object

ANSWER_S = 3.0
TOKEN_S = 900.0
INVOCATIONS_MAX = 10_000  # the oldest tokens, ephemeral messages and forms are forgotten
ATTACHMENT_BYTES_MAX = 10 << 20
KIND_OF = {COMMAND: "command", COMPONENT: "component", AUTOCOMPLETE: "autocomplete", MODAL: "modal"}
ALL_PERMISSIONS = str((1 << 50) - 1)

T = TypeVar("T")


class Invocation(msgspec.Struct):
    """One interaction with a bot.

    token       what the bot answers by
    row         its number on the ledger, from 1
    answered    the type of the callback; None: not yet
    dead        nobody called back in time
    original    the first answer
    said        the answer and the follow-ups, ephemeral ones too, by id
    source      the message whose button was pressed
    """

    id: str
    token: str
    application_id: str
    user_id: str
    channel_id: str
    type: int
    data: dict[str, Any]
    nonce: str | None
    at: float
    row: int = 0
    command: dict[str, Any] | None = None
    source: Message | None = None
    trigger_id: str | None = None
    answered: int | None = None
    dead: bool = False
    original: Message | None = None
    said: dict[str, Message] = {}

    def origin(self) -> Origin:
        """What the messages say of where they come from; those after the first name the first."""
        command = self.command or {}
        return Origin(
            id=self.id,
            user_id=self.user_id,
            type=self.type,
            name=command.get("name"),
            message_id=self.source.id if self.source is not None else None,
            response_id=self.original.id if self.original is not None else None,
            command_type=command.get("type", 1),
            trigger_id=self.trigger_id,
        )


class Desk:
    """Takes what users ask of bots, and holds the bots to their three seconds."""

    def __init__(
        self, parts: Parts, greeter: Greeter, applications: Applications, crier: Crier, composer: Composer
    ) -> None:
        self.parts = parts
        self.composer = composer
        self.greeter = greeter
        self.applications = applications
        self.crier = crier
        self.by_token: dict[str, Invocation] = {}
        self.deadlines: dict[str, asyncio.TimerHandle] = {}  # by interaction id
        # Messages that are nobody's history, and can be pressed by the one who sees them: by id, whose.
        self.ephemeral: dict[str, tuple[str, Message]] = {}
        self.forms: dict[str, Invocation] = {}  # opened modals, by the interaction that opened them

    def close(self) -> None:
        for deadline in self.deadlines.values():
            deadline.cancel()

    # -- from the user's side --------------------------------------------------------------------------------------

    def check(self, body: dict[str, Any], data: dict[str, Any], account: Account, nonce: str | None) -> Invocation:
        """The interaction that a body asks for, its place already checked. Raises Refusal as Discord does."""
        application_id, channel_id, kind = str(body["application_id"]), str(body["channel_id"]), body.get("type")
        if kind not in KIND_OF:
            raise invalid_form("type", code="BASE_TYPE_CHOICES", message="Value must be one of {2, 3, 4, 5}.")
        invocation = Invocation(
            id=self.parts.snowflakes.next(),
            token="".join(f"{self.parts.dice.getrandbits(64):016x}" for _ in range(8)),
            application_id=application_id,
            user_id=account.id,
            channel_id=channel_id,
            type=kind,
            data=data,
            nonce=nonce,
            at=time.time(),
        )
        checks = {COMPONENT: self.check_component, MODAL: self.check_form}
        checks.get(kind, self.check_command)(invocation, body)
        return invocation

    def check_command(self, invocation: Invocation, body: dict[str, Any]) -> None:
        data = invocation.data
        command = self.applications.find(invocation.application_id, str(data.get("id")))
        if str(data.get("version")) != command["version"] or data.get("name") != command["name"]:
            text = "This command is outdated, please try again in a few minutes"
            raise invalid_form("data", code="INTERACTION_APPLICATION_COMMAND_INVALID_VERSION", message=text)
        uploads = self.uploads(data, invocation.channel_id)
        options = typed_options(command, data.get("options") or [], uploads, partial=invocation.type == AUTOCOMPLETE)
        shown = {"id": command["id"], "name": command["name"], "type": command["type"], "options": options}
        if "guild_id" in command:
            shown["guild_id"] = command["guild_id"]
        if "target_id" in data:
            shown["target_id"] = str(data["target_id"])
        found = resolved(self.parts, self.greeter, shown, uploads, invocation.channel_id)
        invocation.data = shown | ({"resolved": found} if found else {})
        invocation.command = command

    def uploads(self, data: dict[str, Any], channel_id: str) -> dict[str, Attachment]:
        """Files that were PUT before and that an option names by its number, by that number."""
        listed = data.get("attachments")
        given = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        return {str(one.get("id")): self.composer.uploaded(one, channel_id) for one in given}

    def check_component(self, invocation: Invocation, body: dict[str, Any]) -> None:
        message_id = str(body.get("message_id"))
        owner, hidden = self.ephemeral.get(message_id, ("", None))
        message = hidden if owner == invocation.user_id else self.parts.channels.get(invocation.channel_id, message_id)
        if message is None or message.author_id != invocation.application_id:
            raise unknown("Message")
        custom_id = invocation.data.get("custom_id")
        component = next((one for one in leaves(message.components) if one.get("custom_id") == custom_id), None)
        if component is None or component.get("disabled"):
            text = "Component validation failed"
            raise invalid_form("data", "custom_id", code="COMPONENT_VALIDATION_FAILED", message=text)
        data = {"custom_id": custom_id, "component_type": component["type"], "id": component.get("id", 1)}
        values = invocation.data.get("values")
        invocation.data = data | ({"values": values} if isinstance(values, list) else {})
        invocation.source = message

    def check_form(self, invocation: Invocation, body: dict[str, Any]) -> None:
        """The sending of a modal, which `data.id` says by the interaction that opened it."""
        opened = self.forms.get(str(invocation.data.get("id")))
        if opened is None or opened.user_id != invocation.user_id:
            raise invalid_form("data", "custom_id", code="MODAL_NOT_FOUND", message="Unknown modal")
        lines = invocation.data.get("components")
        components = [line for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []
        invocation.data = {"custom_id": str(invocation.data.get("custom_id")), "components": numbered(components)}
        invocation.trigger_id, invocation.source, invocation.command = opened.id, opened.source, opened.command

    def take(self, invocation: Invocation, row: Row) -> None:
        """Write it down, tell the user's client that it exists, hand it to the bot."""
        row.kind, row.interaction_id = KIND_OF[invocation.type], invocation.id
        invocation.row = self.parts.ledger.add(row)
        bounded(self.by_token, invocation.token, invocation)
        if invocation.type == MODAL:
            self.forms.pop(invocation.trigger_id or "", None)
        user, bot = self.people(invocation)
        if invocation.type != AUTOCOMPLETE:
            self.crier.privately("INTERACTION_CREATE", user, self.marks(invocation))
        self.crier.privately("INTERACTION_CREATE", bot, self.shown(invocation))
        loop = asyncio.get_running_loop()
        self.deadlines[invocation.id] = loop.call_later(ANSWER_S, self.expire, invocation)

    def expire(self, invocation: Invocation) -> None:
        """Nobody called back: the interaction is dead, and the user's client says so."""
        self.deadlines.pop(invocation.id, None)
        invocation.dead = True
        with self.parts.store:
            self.parts.ledger.settle(invocation.row, FAILED)
            if invocation.type != AUTOCOMPLETE:
                failure = self.marks(invocation) | {"reason_code": 2}
                self.crier.privately("INTERACTION_FAILURE", self.people(invocation)[0], failure)

    # -- from the bot's side ---------------------------------------------------------------------------------------

    def called_back(self, interaction_id: str, token: str) -> Invocation:
        """The interaction that is answered for the first time. Raises Refusal 10062, 40060."""
        invocation = self.by_token.get(token)
        if invocation is None or invocation.id != interaction_id or invocation.dead:
            raise unknown("Interaction")
        if invocation.answered is not None:
            raise Refusal(400, 40060, "Interaction has already been acknowledged.")
        return invocation

    def acknowledge(self, invocation: Invocation, kind: int) -> None:
        """The bot was in time."""
        invocation.answered = kind
        deadline = self.deadlines.pop(invocation.id, None)
        if deadline is not None:
            deadline.cancel()
        self.parts.ledger.settle(invocation.row, DONE)
        if invocation.type != AUTOCOMPLETE:
            self.crier.privately("INTERACTION_SUCCESS", self.people(invocation)[0], self.marks(invocation))

    def followed_up(self, application_id: str, token: str) -> Invocation:
        """The interaction whose token a webhook route names. Raises Refusal 10015, 50027."""
        if application_id not in self.parts.people.applications:
            raise unknown("Webhook")
        invocation = self.by_token.get(token)
        now = time.time()
        if invocation is None or invocation.application_id != application_id or now - invocation.at > TOKEN_S:
            raise Refusal(401, 50027, "Invalid Webhook Token")
        if invocation.answered is None:
            raise unknown("Webhook")
        return invocation

    def say(self, invocation: Invocation, message: Message) -> None:
        """A message in answer to the interaction: the first is the original, and has its nonce."""
        first = invocation.original is None
        self.remember(invocation, message)
        self.crier.create(message, owner=invocation.user_id, nonce=invocation.nonce if first else None)

    def remember(self, invocation: Invocation, message: Message) -> None:
        if invocation.original is None:
            invocation.original = message
        invocation.said = invocation.said | {message.id: message}
        if message.flags & EPHEMERAL:
            bounded(self.ephemeral, message.id, (invocation.user_id, message))

    def open_form(self, invocation: Invocation) -> None:
        """The user may send a form now, once."""
        bounded(self.forms, invocation.id, invocation)

    def change(self, invocation: Invocation, message: Message) -> None:
        """The message was changed: it is no longer only a promise of one."""
        message.flags &= ~LOADING
        self.crier.update(message, owner=invocation.user_id)

    def drop(self, invocation: Invocation, message: Message) -> None:
        invocation.said = {key: said for key, said in invocation.said.items() if key != message.id}
        self.ephemeral.pop(message.id, None)
        self.crier.delete(message, owner=invocation.user_id)

    # -- showing ---------------------------------------------------------------------------------------------------

    def people(self, invocation: Invocation) -> tuple[Account, Account]:
        """The user and the bot."""
        by_id = self.parts.people.by_id
        return by_id[invocation.user_id], by_id[invocation.application_id]

    def marks(self, invocation: Invocation) -> dict[str, Any]:
        """How a user's client knows its interaction again."""
        return {"id": invocation.id, "nonce": invocation.nonce}

    def shown(self, invocation: Invocation) -> dict[str, Any]:
        """The interaction as the bot hears of it: complete, as the documents list its fields."""
        user, _ = self.people(invocation)
        place = self.crier.place(invocation.channel_id)
        shown: dict[str, Any] = {
            "version": 1,
            "id": invocation.id,
            "application_id": invocation.application_id,
            "type": invocation.type,
            "token": invocation.token,
            "data": invocation.data,
            "channel": self.greeter.channel(invocation.channel_id) | {"permissions": ALL_PERMISSIONS},
            "locale": "en-US",
            "app_permissions": ALL_PERMISSIONS,
            "entitlements": [],
            "authorizing_integration_owners": {"0": self.parts.identity.guild_id},
            "context": 0 if "guild_id" in place else 1,
            "attachment_size_limit": ATTACHMENT_BYTES_MAX,
        }
        if "guild_id" in place:
            member = member_object(user) | {"permissions": ALL_PERMISSIONS}
            guild = {"id": place["guild_id"], "locale": "en-US", "features": []}
            shown |= {"member": member, "guild": guild, "guild_locale": "en-US"}
        else:
            shown["user"] = member_object(user)["user"]
        if invocation.source is not None:
            shown["message"] = self.crier.shown(invocation.source)
        return shown | place


def bounded(table: dict[str, T], key: str, value: T) -> None:
    """Put it in; the oldest goes when there are too many."""
    table[key] = value
    if len(table) > INVOCATIONS_MAX:
        del table[next(iter(table))]


def leaves(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every component and all below it."""
    found = []
    for component in components:
        found.append(component)
        below = [one for one in component.get("components") or [] if isinstance(one, dict)]
        single = [component[name] for name in ("accessory", "component") if isinstance(component.get(name), dict)]
        found += leaves([*below, *single])
    return found


def numbered(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A form's components with the `id`s that Discord gives them."""
    for number, component in enumerate(leaves(components), 1):
        component.setdefault("id", number)
    return components
