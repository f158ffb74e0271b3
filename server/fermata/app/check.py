"""`fermata check`, all of it: the configuration, the certificate, directories, the database, ports, other servers."""

from collections.abc import Iterator
from pathlib import Path

from ..storage import migrations
from ..storage.connect import connect
from ..storage.errors import StorageError
from .check_components import component_findings
from .check_places import directory_findings, port_findings, sqlite_file
from .check_s2s import s2s_findings
from .check_tls import certificate_findings
from .config import Config, ConfigError, load
from .control import ControlClient, ControlError, ServerDownError
from .finding import Finding, error, note, warning


def check(config_path: Path) -> list[Finding]:
    """Everything found, in the order in which it is best put right. Nothing is changed by looking."""
    try:
        config = load(config_path)
    except ConfigError as wrong:
        return [error(str(problem)) for problem in wrong.problems]
    return [
        *certificate_findings(config),
        *component_findings(config, config_path),
        *s2s_findings(config),
        *directory_findings(config),
        *_database_findings(config),
        *_server_findings(config),
    ]


def _database_findings(config: Config) -> Iterator[Finding]:
    file = sqlite_file(config)
    if file is not None and not file.exists():
        return  # the first start makes it
    try:
        engine = connect(config.storage.url, config.storage.durability.value)
        try:
            current, wanted = migrations.current(engine), migrations.head()
        finally:
            engine.dispose()
    except StorageError as wrong:
        yield error(str(wrong))
        return
    if current == wanted:
        return
    if current is not None and not migrations.is_known(current):
        yield error(
            f"the database is newer than this server (it has {current}, known here is {wanted})",
            "install the newer server again, or restore the backup from before its upgrade",
        )
    else:
        state = f"is still at {current}" if current else "has no tables yet"
        yield warning(f"the database {state}, this server works with {wanted}", "the next start migrates it")


def _server_findings(config: Config) -> Iterator[Finding]:
    try:
        with ControlClient(config.server.data_dir) as client:
            status = client.call("status")
    except ServerDownError:
        yield from port_findings(config, running=False)
    except ControlError as wrong:
        yield warning(f"a server is running, but: {wrong}")
    else:
        yield note(f"Fermata is running (process {status.get('pid', 'unknown')})")
        yield from port_findings(config, running=True)
