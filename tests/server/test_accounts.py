"""Accounts that are made, changed and removed by the command line while the server runs."""

from kit.people import PASSWORD, People
from kit.server import Server
from kit.wire import Client


def test_an_account_added_while_it_runs_can_log_in(server: Server) -> None:
    server.command("user", "add", "newcomer@localhost", "--password", "s\u00e4cret \u2615")
    client = Client(server.link())
    client.open()
    client.authenticate("newcomer", "s\u00e4cret \u2615")
    client.bind()
    client.close()


def test_names_and_passwords_may_be_beyond_ascii(server: Server) -> None:
    server.add_accounts([("j\u00fcrgen@localhost", "p\u00e4ssw\u00f6rd \u2615")])
    for mechanism in ("PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"):
        client = Client(server.link())
        client.open()
        if mechanism == "PLAIN":
            client.plain("j\u00fcrgen", "p\u00e4ssw\u00f6rd \u2615")
        else:
            client.scram(mechanism, "j\u00fcrgen", "p\u00e4ssw\u00f6rd \u2615")
        client.open()
        assert client.bind().startswith("j\u00fcrgen@localhost/")
        client.close()


def test_the_session_of_a_removed_account_ends(server: Server, people: People) -> None:
    name = people.name()
    client = people.online(name)
    server.command("user", "remove", f"{name}@localhost")
    client.wait_for_end()
    again = Client(server.link())
    again.open()
    again.auth("PLAIN", f"\0{name}\0{PASSWORD}".encode())
    again.expect_failure("not-authorized")


def test_a_changed_password_is_the_one_that_counts(server: Server, people: People) -> None:
    name = people.name()
    server.command("user", "passwd", f"{name}@localhost", "--password", "another one")
    client = Client(server.link())
    client.open()
    client.auth("PLAIN", f"\0{name}\0{PASSWORD}".encode())
    client.expect_failure("not-authorized")
    client.authenticate(name, "another one")
    client.bind()
    client.close()
