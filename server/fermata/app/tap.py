"""What `twistd fermata` runs (see twisted.application.service.ServiceMaker)."""

from pathlib import Path

from twisted.application.service import IService
from twisted.python import usage

from .config import ConfigError, load
from .logs import Log, Logged, output_of
from .server import Server


class Options(usage.Options):
    """The options of `twistd fermata`."""

    optParameters = [["config", "c", "etc/fermata.toml", "The configuration file."]]  # noqa: N815, RUF012


def makeService(options: Options) -> IService:  # noqa: N802
    """The server, ready to be started. Ends the process with words, not a traceback, if its configuration is wrong."""
    from twisted.internet import reactor

    try:
        config = load(Path(options["config"]))
    except ConfigError as error:
        raise SystemExit(f"Fermata cannot start:\n{error}") from error
    log = Log(config.log.level, config.log.format, output_of(options.parent or {}, reactor))
    service = Logged(log)
    Server(config, reactor, log).setServiceParent(service)  # type: ignore[no-untyped-call]
    return service
