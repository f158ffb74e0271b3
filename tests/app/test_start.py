"""What somebody reads who starts the server: how to log in, or why it does not start."""

import re
import socket
from pathlib import Path

import pytest

from kit.server import START, Server, Settings


def test_the_first_start_says_how_to_log_in_and_to_make_accounts(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.start()
    server.wait_for_log(f"Log in with any XMPP client; the server is 127.0.0.1, port {server.port}.")
    line = server.wait_for_log("Other accounts: ")
    program = line.split()[2]
    assert Path(program).is_file()
    assert line.endswith("fermata user add SOMEBODY@localhost\n")
    server.stop()
    seen = len(server.log)
    server.start()
    server.stop()
    assert "password" not in "".join(server.log[seen:])


def test_where_nobody_reads_no_account_is_made(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.program = ["sh", "-c", 'exec "$0" "$@" 2>/dev/null', *server.program]
    server.start()
    assert server.command("user", "list") == ""
    server.stop()


def test_a_wrong_configuration_is_told_line_by_line_and_nothing_else(tmp_path: Path) -> None:
    said = refusal(tmp_path, {"srver": {}, "limits": {"queue": 1}})
    assert re.search(r"Fermata cannot start:\n\S+fermata.toml:\d+: unknown key `queue` in \[limits\]", said)
    assert "unknown table [srver]; did you mean [server]?" in said


def test_a_password_for_the_database_is_not_repeated(tmp_path: Path) -> None:
    said = refusal(tmp_path, {"storage": {"url": "postgresql://fermata:s3cret@host/db"}})
    assert "`url` in [storage]" in said
    assert "s3cret" not in said


def test_a_data_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")
    assert f"Fermata cannot start: the data directory {tmp_path}/var cannot be made: File exists" in refusal(tmp_path)


@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.1"])
def test_a_port_is_told_as_it_is_written_in_the_configuration(tmp_path: Path, host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        endpoint = f"tcp:{taken.getsockname()[1]}:interface={host}"
        said = refusal(tmp_path, {"c2s": {"listen": [endpoint]}})
    why = "Address already in use" if host == "127.0.0.1" else "Cannot assign requested address"
    assert f"Fermata cannot start: {endpoint}: {why}\n" in said


def refusal(directory: Path, settings: Settings | None = None) -> str:
    """What a server says that does not start."""
    server = Server(directory, settings)
    server.launch()
    assert not server.is_running(START)
    assert server.process is not None
    assert server.process.returncode == 1
    server.wait_for_log("Fermata cannot start")
    said = "".join(server.log)
    assert "Traceback" not in said
    return said
