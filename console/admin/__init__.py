"""`limner admin …`: the operator's instructions as commands. A file a noun; what all commands share is in `asked`."""

from __future__ import annotations

from console.admin import accounts, actors, describe, events, jobs, people, service
from console.admin.asked import group

admin = group("The operator's instructions to a running daemon.")
for noun in (service, actors, accounts, jobs, people, events, describe):
    noun.register(admin)
