"""Small words that the prebuilt statements are written with.

A parameter is named `given_X`, because SQLAlchemy keeps the bare column names for itself in what an UPDATE sets.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, bindparam, literal_column
from sqlalchemy.sql import ClauseElement
from sqlalchemy.types import TypeEngine

GIVEN = "given_"


def given(name: str, type_: TypeEngine[Any] | None = None) -> BindParameter[Any]:
    """A value that comes with the execution, as `given_NAME`; `type_` where no column beside it tells."""
    return bindparam(GIVEN + name, type_=type_)


def literals(constants: Iterable[str]) -> list[ColumnElement[str]]:
    """Constants of ours (never a user's words) written into the SQL, which spares parameters on hot statements."""
    assert all(constant.isidentifier() for constant in constants)
    return [literal_column(f"'{constant}'") for constant in constants]


def parameters_of(statement: ClauseElement) -> tuple[str, ...]:
    """The names that `given` gave to the statement's parameters."""
    return tuple(name.removeprefix(GIVEN) for name in statement.compile().params if name.startswith(GIVEN))
