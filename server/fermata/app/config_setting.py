"""How one key of the configuration is declared: a dataclass field that knows how it is read and what it means."""

import dataclasses
import difflib
from dataclasses import MISSING, field
from typing import Any, Final, TypeVar

from .config_values import InvalidError, Reader, type_name

T = TypeVar("T")
Field = dataclasses.Field[Any]
REQUIRED: Final = MISSING  #: as a default: the key must be there


def setting(default: Any, read: Reader[T], doc: str, example: str = "") -> T:
    """One key: its default as it would stand in the file, how it is read, and what to tell who writes the file."""
    metadata = {"default": default, "read": read, "doc": doc, "example": example}
    if default is REQUIRED:
        return field(metadata=metadata)  # type: ignore[no-any-return]
    value = read(default)
    return field(default_factory=lambda: value, metadata=metadata)


def is_table(field: Field) -> bool:
    """Whether the key is a table of its own in the file, with free keys."""
    return isinstance(field.metadata["default"], dict)


def nearest(name: str, known: list[str], form: str) -> str:
    """Advice for a name that does not exist; `form` is how a name is shown, such as "`{}`"."""
    close = difflib.get_close_matches(name.lower(), known, n=1)
    if close:
        return f"did you mean {form.format(close[0])}?"
    return "known are " + ", ".join(map(form.format, known))


def record_of(cls: type[T]) -> Reader[T]:
    """A table with fixed keys inside a table with free ones; `cls` is a dataclass of settings."""
    fields: dict[str, Field] = {each.name: each for each in dataclasses.fields(cls)}  # type: ignore[arg-type]

    def read_record(value: Any) -> T:
        if not isinstance(value, dict):
            raise InvalidError(((), f"expected a table, not {type_name(value)}"))
        keys: dict[str, Any] = {}
        problems: list[tuple[tuple[str, ...], str]] = []
        for name, content in value.items():
            if name not in fields:
                problems.append(((name,), _unknown(name, content, list(fields))))
                continue
            try:
                keys[name] = fields[name].metadata["read"](content)
            except InvalidError as invalid:
                problems += [((name, *below), sentence) for below, sentence in invalid.problems]
        if not problems:
            problems += [((), f"`{name}` is missing") for name in fields if _is_missing(fields[name], keys)]
        if problems:
            raise InvalidError(*problems)
        return cls(**keys)

    return read_record


def _is_missing(field: Field, keys: dict[str, Any]) -> bool:
    return field.metadata["default"] is REQUIRED and field.name not in keys


def _unknown(name: str, content: object, known: list[str]) -> str:
    if isinstance(content, dict):
        return "unknown table; a name with dots must stand in quotes"
    return f"unknown key; {nearest(name, known, '`{}`')}"
