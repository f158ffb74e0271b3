"""Configurations, of rooms and of nodes, as the JSON in which they are kept."""

import json
from dataclasses import asdict, fields
from typing import Any, TypeVar

Config = TypeVar("Config")


def written(config: Any) -> str:
    """A configuration, which is a dataclass, as text."""
    return json.dumps(asdict(config), ensure_ascii=False, separators=(",", ":"))


def read(kind: type[Config], text: str) -> Config:
    """The configuration that was written; what it does not name has its default, what is unknown is left out."""
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return kind(
        **{
            name: tuple(value) if isinstance(value, list) else value
            for name, value in json.loads(text).items()
            if name in names
        }
    )
