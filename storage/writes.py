"""Every write of storage.operations, applied: one function each, found by the write's type.

`apply` belongs inside a transaction; what it did is undone by rolling that back. It raises nothing that a caller should
answer a user with: refusals are values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storage import operations as ops
from storage.accepting import accept_job
from storage.accounts import add_account, drop_account, save_slots
from storage.added import AddAccount, DropAccount, SaveSlots
from storage.audit import add_audit, prune_audit, save_switch
from storage.forgetting import AddUpload, DropDiscards, Forget, ForgetPictures, ForgetUploads
from storage.gateways import claim_identify, save_gateway, save_suspension
from storage.moving import ask_cancel, doubt, gather, give_back, grant, submit, track, ungrant
from storage.operations import Write, Written
from storage.overseeing import AddAudit, Ban, PruneAudit, RevokeKey, SaveSwitch, SetQuota
from storage.people import add_key, add_user, drop_key
from storage.persons import ban, revoke_key, set_quota
from storage.pruning import add_upload, drop_discards, forget, forget_pictures, forget_uploads
from storage.settling import settle
from storage.writing import Writing

APPLIERS: dict[type[Any], Callable[[Writing, Any], Written]] = {
    ops.AcceptJob: accept_job,
    ops.Grant: grant,
    ops.Ungrant: ungrant,
    ops.Submit: submit,
    ops.GiveBack: give_back,
    ops.Doubt: doubt,
    ops.Track: track,
    ops.Gather: gather,
    ops.Settle: settle,
    ops.AskCancel: ask_cancel,
    ops.SaveGateway: save_gateway,
    ops.SaveSuspension: save_suspension,
    ops.ClaimIdentify: claim_identify,
    AddAccount: add_account,
    DropAccount: drop_account,
    SaveSlots: save_slots,
    ops.AddUser: add_user,
    ops.AddKey: add_key,
    ops.DropKey: drop_key,
    AddUpload: add_upload,
    Forget: forget,
    ForgetPictures: forget_pictures,
    ForgetUploads: forget_uploads,
    DropDiscards: drop_discards,
    Ban: ban,
    SetQuota: set_quota,
    RevokeKey: revoke_key,
    SaveSwitch: save_switch,
    AddAudit: add_audit,
    PruneAudit: prune_audit,
    ops.Fence: lambda writing, write: ops.Applied(),
}


def apply(writing: Writing, write: Write) -> Written:
    """Applies the write in the transaction and says what came of it."""
    return APPLIERS[type(write)](writing, write)
