"""What can be wrong with the database, in words for an operator and for programs."""

from __future__ import annotations


class StoreTrouble(Exception):
    """The database cannot be used (now). `code` is a word for programs, `message` one line with what to do.

    Codes: bad_url, no_driver, unwritable, not_a_database, corrupt, newer_schema, locked, full, io_error, gone,
    replaced, unavailable.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code, self.message = code, message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
