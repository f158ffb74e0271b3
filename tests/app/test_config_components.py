"""[components] in the configuration: what it means, and every kind of mistake with its line."""

import pytest

from fermata.app.config import listeners, load
from fermata.app.config_components import External, Inside
from fermata.app.config_tables import Config
from kit.configuration import problems

FULL = """
[components]
listen = ["tcp:5347:interface=127.0.0.1", "unix:/run/components.sock"]
[components.external."IRC.localhost"]
secret = "s3cret"
also = ["icq.localhost"]
[components.external]
"bücher.localhost" = { secret = "größe" }
[components.inside."bot.localhost"]
handler = "some_package.bots:Echo"
[components.inside."bot.localhost".options]
greeting = "hi"
[components.inside."bot.localhost".options.deep]
numbers = [1, 2]
"""


def test_every_value_arrives_prepared_and_typed(write):
    config = load(write(FULL))
    assert config.components.external == {
        "irc.localhost": External("s3cret", ("icq.localhost",)),
        "bücher.localhost": External("größe"),
    }
    options = {"greeting": "hi", "deep": {"numbers": [1, 2]}}
    assert config.components.inside == {"bot.localhost": Inside("some_package.bots:Echo", options)}
    assert (("components", "listen"), "tcp:5347:interface=127.0.0.1") in listeners(config)
    assert config.certificate_names()[3:] == ("irc.localhost", "icq.localhost", "bücher.localhost", "bot.localhost")


def test_nothing_listens_and_nothing_runs_unless_it_is_asked_for(write):
    assert load(write("")).components == Config().components
    assert (Config().components.listen, Config().components.external, Config().components.inside) == ((), {}, {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "[components.externl]",
            "1: unknown table [components.externl]; did you mean [components.external]?",
        ),
        ("[components]\nlistn = []", "2: unknown key `listn` in [components]; did you mean `listen`?"),
        (
            "[components.external.'a.b']\nsecret = 'x'\n\nalsoo = []",
            '4: `external` "a.b" "alsoo" in [components]: unknown key; did you mean `also`?',
        ),
        (
            "[components.external.'a.b']",
            '1: `external` "a.b" in [components]: `secret` is missing',
        ),
        (
            "[components.external]\n'a.b' = { secret = '' }",
            '2: `external` "a.b" "secret" in [components]: must not be empty',
        ),
        (
            "[components.external]\n'a.b' = 's3cret'",
            '2: `external` "a.b" in [components]: expected a table, not a string',
        ),
        (
            "[components.external.'a.b']\nsecret = 5",
            '2: `external` "a.b" "secret" in [components]: expected a string, not an integer',
        ),
        (
            "[components.external.'a.b']\nsecret = 'x'\nalso = ['a b']",
            '3: `external` "a.b" "also" in [components]: "a b" is no domain',
        ),
        (
            "[components.external.irc.example]\nsecret = 'x'",
            '1: `external` "irc" "example" in [components]: unknown table; a name with dots must stand in quotes',
        ),
        (
            "[components.external.'a b']\nsecret = 'x'",
            '1: `external` "a b" in [components]: "a b" is no domain',
        ),
        (
            "[components.inside.'a.b']\nhandler = 'module.Name'",
            '2: `inside` "a.b" "handler" in [components]: "module.Name" is not of the form "package.module:Name"',
        ),
        (
            "[components.inside.'a.b']\nhandler = 'm:N'\noptions = 5",
            '3: `inside` "a.b" "options" in [components]: expected a table, not an integer',
        ),
        (
            "[components.external.localhost]\nsecret = 'x'",
            "1: localhost in [components.external] is one of `domains` in [server]",
        ),
        (
            "[components.inside.'conference.localhost']\nhandler = 'm:N'",
            "1: conference.localhost in [components.inside] is a room service",
        ),
        (
            "[components.inside.'a.b']\nhandler = 'm:N'\n[components.external.'c.d']\nsecret = 'x'\nalso = ['a.b']",
            "1: a.b in [components.inside] is another component",
        ),
        (
            "[components.external.'c.d']\nsecret = 'x'\nalso = ['c.d']",
            "3: c.d in [components.external] is another component",
        ),
        (
            "[components]\nlisten = ['tcp:5222:interface=127.0.0.1']",
            "2: `listen` in [components]: 'tcp:5222:interface=127.0.0.1' is taken by `listen` in [c2s]",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_was_meant(write, text, expected):
    (problem,) = problems(write(text))
    assert problem.startswith(f"fermata.toml:{expected}")


@pytest.mark.parametrize("path", ["", "module", "module:", ":Name", "a..b:C", "1a:B", "a:b c", "a-b:C", "a:B:C"])
def test_what_is_no_import_path_is_refused(write, path):
    (problem,) = problems(write(f'[components.inside."a.b"]\nhandler = "{path}"'))
    assert problem.endswith('is not of the form "package.module:Name"')
