"""The log: its two forms, its level, what comes from the inner layers, and what must not stand in it."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from twisted.logger import Logger, globalLogPublisher

from fermata.app.cli import main
from fermata.app.config_tables import LogFormat, LogThreshold
from fermata.app.logs import Log, log_commands
from kit.server import Server
from kit.wire import Client


class Written:
    """A log, and what was written to it."""

    def __init__(self, format: LogFormat) -> None:
        self._file = io.StringIO()
        self.log = Log(LogThreshold.INFO, format, self._file)
        self.log.listen_to_inner_layers()
        self.bridge = logging.getLogger().handlers[-1]
        globalLogPublisher.addObserver(self.log.observer)

    @property
    def text(self) -> str:
        return self._file.getvalue()

    def close(self) -> None:
        globalLogPublisher.removeObserver(self.log.observer)
        logging.getLogger().removeHandler(self.bridge)


@pytest.fixture
def written(request: pytest.FixtureRequest) -> Iterator[Written]:
    package = logging.getLogger("fermata")
    level = package.level
    written = Written(request.param)
    yield written
    written.close()
    package.setLevel(level)


plain = pytest.mark.parametrize("written", [LogFormat.PLAIN], indirect=True)
as_json = pytest.mark.parametrize("written", [LogFormat.JSON], indirect=True)


def break_down() -> None:
    raise ValueError("what went wrong\nin two lines")


@plain
def test_an_inner_layer_is_heard_under_its_name_with_its_traceback(written: Written) -> None:
    try:
        break_down()
    except ValueError:
        logging.getLogger("fermata.host.pipeline").exception("a %s failed", "message")
    first, *rest = written.text.splitlines()
    assert first.endswith(" [fermata.host.pipeline#error] a message failed")
    assert rest[0] == "\tTraceback (most recent call last):"
    assert any("in break_down" in line for line in rest)
    # Nothing in a message can look like another line of the log.
    assert all(line.startswith("\t") for line in rest)


@as_json
def test_a_line_of_json_says_everything_about_one_event(written: Written) -> None:
    Logger("fermata.app").info("höher {number}\nand lower", number=5)
    try:
        break_down()
    except ValueError:
        logging.getLogger("fermata.host").exception("it failed")
    first, second = map(json.loads, written.text.splitlines())
    assert datetime.fromisoformat(first.pop("time")).tzinfo is not None
    assert first == {"level": "info", "logger": "fermata.app", "message": "höher 5\nand lower"}
    assert (second["level"], second["logger"], second["message"]) == ("error", "fermata.host", "it failed")
    assert "in break_down" in second["traceback"]


@plain
def test_the_level_holds_for_both_ways_into_the_log_and_can_be_changed(written: Written) -> None:
    def say_something() -> list[str]:
        before = len(written.text)
        Logger("fermata.app").debug("outer debug")
        logging.getLogger("fermata.host").debug("inner debug")
        Logger("fermata.app").warn("outer warning")
        logging.getLogger("fermata.host").warning("inner warning")
        return [line.partition("] ")[2] for line in written.text[before:].splitlines()]

    command = log_commands(written.log)["log"]
    warnings = ["outer warning", "inner warning"]
    assert say_something() == warnings
    assert command("debug") == "debug"
    assert say_something() == ["outer debug", "inner debug", *warnings]
    assert command("error") == "error"
    assert say_something() == []
    assert command(None) == "error"


@plain
def test_other_packages_are_heard_from_warnings_upward(written: Written) -> None:
    logging.getLogger("alembic").info("a migration")
    logging.getLogger("alembic").warning("a doubt")
    assert [line.partition(" ")[2] for line in written.text.splitlines()] == ["[alembic#warn] a doubt"]


@plain
def test_a_message_that_cannot_be_made_is_told_without_what_was_to_be_in_it(written: Written) -> None:
    record = logging.LogRecord("fermata.host", logging.ERROR, "", 0, "of %s: %d", ("juliet", "no number"), None)
    written.bridge.handle(record)
    assert written.text.partition("] ")[2] == "'of %s: %d' was given other arguments than it wants\n"


SECRETS = ("wrong-password-of-mine", "a body for her alone", "a subject", "a status", "a nickname of mine")


def test_a_server_that_logs_everything_as_json_logs_nothing_that_people_write(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def set_level(*words: str) -> str:
        assert main(["--config", str(server.configuration), "log", *words]) == 0
        return capsys.readouterr().out

    server = Server(tmp_path, {"log": {"level": "debug", "format": "json"}})
    server.start()
    password = server.wait_for_log("password  ").split()[-1]
    mark = len(server.log)
    try:
        for secret in (SECRETS[0], password):
            client = Client(server.link())
            client.open()
            if secret == password:
                client.authenticate("me", secret)
            else:
                with pytest.raises(AssertionError):
                    client.authenticate("me", secret)
        client.bind()
        client.available(f"<status>{SECRETS[3]}</status>")
        client.send(f"<message to='me@localhost'><subject>{SECRETS[2]}</subject><body>{SECRETS[1]}</body></message>")
        client.send(
            f"<presence to='tea@conference.localhost/{SECRETS[4]}'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
        )
        client.sync()
        client.send("<broken></xml>")
        client.wait_for_end()
        assert json.loads(set_level("error", "--json")) == {"level": "error"}
        quiet = len(server.log)
        server.reload()  # is worth a line at other times
        assert "'error'" in set_level()
        assert server.log[quiet:] == []
        assert "'info'" in set_level("info")
        server.reload()
        server.wait_for_log("The certificates were read again")
    finally:
        server.cut_all()
        server.stop()
    lines = [json.loads(line) for line in server.log[mark:] if line.startswith("{")]
    assert {"time", "level", "logger", "message"} == {key for line in lines for key in line}
    assert not [line for line in lines for secret in (*SECRETS, password) if secret in line["message"]]
    assert server.log[-1].startswith("{")


def test_the_level_of_a_server_that_is_down_is_nothing_to_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = Server(tmp_path)
    assert main(["--config", str(server.configuration), "log", "debug"]) == 3
    assert capsys.readouterr().err.startswith("fermata: no server is running with the data directory ")
