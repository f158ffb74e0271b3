"""The server's log: how much goes into it, in which form (`[log]`), and the way into it for the inner layers.

Who is not allowed to know Twisted logs with the standard library's `logging`; here it is passed on to Twisted's log.
What the log may tell of people is in `docs/operations.md`.
"""

import json
import logging
import signal
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from twisted.application.service import MultiService
from twisted.logger import (
    FileLogObserver,
    FilteringLogObserver,
    ILogObserver,
    LogEvent,
    Logger,
    LogLevel,
    LogLevelFilterPredicate,
    formatEvent,
    formatEventAsClassicLogText,
)
from twisted.python.failure import Failure
from twisted.python.logfile import LogFile

from .config_tables import LogFormat, LogThreshold
from .control import Commands

_PACKAGE: Final = "fermata"
#: Our levels are those of Twisted; what the standard library calls them.
_STANDARD: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}


def output_of(twistd: Mapping[str, Any], reactor: Any) -> Any:
    """Where `twistd`, by its own options, wants the log: a file to write to, or None if it keeps the log itself."""
    name = twistd["logfile"]
    if twistd["syslog"]:
        return None
    if twistd["nodaemon"] and name in (None, "", "-"):
        return sys.stdout
    file: Any = LogFile.fromFullPath(name or "twistd.log")
    signal.signal(signal.SIGUSR1, lambda *_: reactor.callFromThread(file.rotate))
    return file


class Log:
    """The log; its `level` can be changed while the server runs."""

    def __init__(self, level: LogThreshold, format: LogFormat, output: Any) -> None:
        """`output` is the file that it goes to, or None if somebody else writes it."""
        self._predicate = LogLevelFilterPredicate()
        self.observer: FilteringLogObserver | None = None
        if output is not None:
            lines = FileLogObserver(output, _json_line if format is LogFormat.JSON else formatEventAsClassicLogText)
            self.observer = FilteringLogObserver(lines, [self._predicate])
        self.set_level(level)

    def set_level(self, level: LogThreshold) -> None:
        """From now on, this is the lowest level that is logged."""
        self.level = level
        self._predicate.setLogLevelForNamespace("", LogLevel.levelWithName(level.value))
        # What would not be logged is not even passed on.
        logging.getLogger(_PACKAGE).setLevel(_STANDARD[level.value])

    def listen_to_inner_layers(self) -> None:
        """From now on, what is logged with the standard library comes here; of other packages, from warnings upward."""
        logging.getLogger().addHandler(_Bridge())


def log_commands(log: Log) -> Commands:
    """What the running server offers on its control socket."""

    def set_level(level: str | None) -> str:
        if level is not None:
            log.set_level(LogThreshold(level))
        return log.level.value

    return {"log": set_level}


class Logged(MultiService):
    """A service that has its application log in our way."""

    def __init__(self, log: Log) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._log = log

    def setServiceParent(self, parent: Any) -> None:  # noqa: N802
        """See IService. `twistd` asks the application for what is to observe the log (see its AppLogger)."""
        if self._log.observer is not None:
            parent.setComponent(ILogObserver, self._log.observer)
        self._log.listen_to_inner_layers()
        super().setServiceParent(parent)  # type: ignore[no-untyped-call]


class _Bridge(logging.Handler):
    """Makes an event of Twisted's log out of each record of the standard library's."""

    def emit(self, record: logging.LogRecord) -> None:
        event: dict[str, Any] = {"text": _text_of(record)}
        if record.exc_info is not None and record.exc_info[1] is not None:
            event["log_failure"] = Failure(record.exc_info[1])
        Logger(record.name).emit(_twisted_level(record.levelno), "{text}", **event)


def _text_of(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:
        return f"{record.msg!r} was given other arguments than it wants"


def _twisted_level(number: int) -> Any:
    if number >= logging.CRITICAL:
        return LogLevel.critical
    names = [name for name, least in _STANDARD.items() if number >= least]
    return LogLevel.levelWithName(names[-1]) if names else LogLevel.debug


def _json_line(event: LogEvent) -> str | None:
    """One object on one line, for programs that gather logs."""
    text = formatEvent(event)
    failure = event.get("log_failure")
    if not text and failure is None:
        return None
    line = {
        "time": datetime.fromtimestamp(event["log_time"], UTC).isoformat(timespec="milliseconds"),
        "level": event["log_level"].name,
        "logger": event["log_namespace"],
        "message": text,
    }
    if failure is not None:
        line["traceback"] = failure.getTraceback()
    return json.dumps(line, ensure_ascii=False) + "\n"
