"""What a benchmark ran on: figures without it say nothing."""

import datetime
import os
import platform
import re
import sqlite3
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .servers import Server

Facts = dict[str, Any]


def facts(servers: Iterable[Server]) -> Facts:
    """The machine, the versions and the date, for the results' first line."""
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": _field("/proc/cpuinfo", r"model name\s*: (.*)") or platform.processor() or platform.machine(),
        "cpus": len(os.sched_getaffinity(0)),
        "memory_gb": round(int(_field("/proc/meminfo", r"MemTotal:\s*(\d+)") or 0) / 1e6, 1),
        "system": _field("/etc/os-release", r'PRETTY_NAME="?([^"\n]*)') or platform.system(),
        "kernel": ".".join(platform.release().split(".")[:2]),
        "python": platform.python_version(),
        "openssl": ssl.OPENSSL_VERSION.split()[1],
        "sqlite": sqlite3.sqlite_version,
        "versions": {server.name: server.version() for server in servers},
    }


def _field(path: str, pattern: str) -> str:
    try:
        found = re.search(pattern, Path(path).read_text())
    except OSError:
        return ""
    return found.group(1).strip() if found else ""
