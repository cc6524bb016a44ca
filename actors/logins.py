"""Logins: operators at the admin page. A login stands for the key it was made with, for half a day and no longer.

Kept in the Gate's memory alone: the config's operator is no user whose logins the store could hold, and whoever could
suspend accounts an hour ago shows the key again after a restart. Each use asks for the key itself, so one that was
revoked, or whose user was banned, ends its logins with it. Digests only: neither keys nor logins are kept.
"""

from __future__ import annotations

from collections import OrderedDict

OPERATOR_LOGIN_S = 12 * 3600
OPERATOR_LOGINS_MAX = 256


class Logins:
    """Digests of keys by those of the logins made with them, each for OPERATOR_LOGIN_S, OPERATOR_LOGINS_MAX at most."""

    def __init__(self) -> None:
        self._made: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def begin(self, login: str, key: str, now: float) -> None:
        """From now on the login stands for the key (both digests); the oldest one makes room."""
        self._made[login] = (key, now + OPERATOR_LOGIN_S)
        if len(self._made) > OPERATOR_LOGINS_MAX:
            self._made.popitem(last=False)

    def end(self, login: str) -> None:
        """It is worth nothing any more; one that is unknown is so already."""
        self._made.pop(login, None)

    def key_of(self, shown: str, now: float) -> str:
        """The digest of the key that this login stands for; of anything else (a key, a login that is over), itself."""
        key, until = self._made.get(shown, (shown, 0.0))
        if now < until:
            return key
        self.end(shown)
        return shown
