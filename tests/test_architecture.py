"""The architecture, as far as a machine can check it (docs/architecture.md), and that the checks themselves bite."""

from pathlib import Path

import pytest

from kit.architecture import FILE_LINES, FUNCTION_LINES, HOST_MEMBERS, PUBLIC_METHODS, TEST_RULES, check

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "server" / "fermata"

# (path, rule): the reason. An exception is a decision, and stands here by name.
EXCEPTIONS: dict[tuple[str, str], str] = {}


def test_the_source_tree_keeps_its_rules() -> None:
    assert check(PACKAGE, exceptions=EXCEPTIONS) == []


@pytest.mark.parametrize("directory", ["tests", "bench", "twistd_plugins"])
def test_the_tests_keep_theirs(directory: str) -> None:
    assert check(ROOT / directory, TEST_RULES) == []


def wrong(tmp_path: Path, path: str, code: str, *, documented: bool = True) -> list[str]:
    """What is found in one file with this code, without the file's name."""
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(('"""A file."""\n' if documented else "") + code, encoding="utf-8")
    return [sentence.removeprefix(path + ":") for sentence in check(tmp_path)]


@pytest.mark.parametrize(
    ("path", "code", "sentence"),
    [
        ("core/muc/room.py", "from ...net.c2s import Connection", "2: core may not import net"),
        ("core/muc/room.py", "from ... import net", "2: core may not import net"),
        ("core/muc/room.py", "from ...host import hooks", "2: core may not import host"),
        ("xmpp/jid.py", "from ..core import release", "2: xmpp may not import core"),
        ("host/router.py", "def f():\n    from ..services import muc", "3: host may not import services"),
        ("services/muc.py", "from ..xep import xep_0030_disco", "2: services may not import xep"),
        ("xep/xep_0030_disco.py", "from .. import app", "2: xep may not import app"),
        ("net/s2s.py", "from ..storage.engine import run", "2: net may not import storage"),
        ("net/s2s.py", "from ..services import muc", "2: net may not import services"),
        ("storage/rooms.py", "from ..net import tls", "2: storage may not import net"),
        ("host/hooks.py", "from twisted.internet import defer", "2: host may not import twisted"),
        ("core/muc/room.py", "import twisted", "2: core may not import twisted"),
        ("xmpp/jid.py", "from twisted.words.xish import domish", "2: xmpp may not import twisted"),
        ("core/muc/room.py", "import idna", "2: core may not import idna"),
        ("xep/xep_0313_mam.py", "import sqlalchemy as sa", "2: xep may not import sqlalchemy"),
        ("net/s2s.py", "from sqlalchemy import select", "2: only storage may import sqlalchemy"),
        ("app/service.py", "import alembic.config", "2: only storage may import alembic"),
        ("net/components.py", "from wokkel import component", "2: wokkel is imported through fermata.xmpp.wokkel"),
        ("net/s2s.py", "from fermata.host import hooks", "2: inside the package, imports are relative"),
        ("xep/xep_0030_disco.py", "from .xep_0199_ping import pong", "2: a XEP file may not import another"),
        ("xep/xep_0030_disco.py", "from . import xep_0199_ping", "2: a XEP file may not import another"),
        ("xep/xep_0060_pubsub/node.py", "from ..xep_0004_x import y", "2: a XEP file may not import another"),
        ("net/s2s.py", "import typing\nif typing.TYPE_CHECKING: pass", "3: TYPE_CHECKING is not used"),
        ("core/release.py", "import time", "2: the core may not import time"),
        ("core/release.py", "from random import randrange", "2: the core may not import random"),
        ("core/release.py", "def f():\n    import uuid", "3: the core may not import uuid"),
        ("core/release.py", "import os.path", "2: the core may not import os"),
        ("core/release.py", "async def _f(): pass", "2: the core does not wait"),
        ("core/release.py", "A = [await x async for x in y]", "2: the core does not wait"),
        ("core/release.py", "A = datetime.now(UTC)", "2: the core has no clock: time is an argument"),
        ("host/a.py", "from xml.etree.ElementTree import fromstring", "2: XML is parsed by core"),
        ("storage/a.py", "from xml.etree import ElementTree as ET\nET.XMLParser()", "3: XML is parsed by core"),
        ("net/a.py", "from xml.parsers import expat", "2: XML is parsed by core"),
        ("net/a.py", "from xml.sax import parseString", "2: XML is parsed by core"),
        ("net/a.py", "import pyexpat", "2: XML is parsed by core"),
        ("net/a.py", "from ..xmpp.wokkel import generic\ngeneric.parseXml(b'')", "3: XML is parsed by core"),
        ("net/a.py", "#\n" * FILE_LINES, f"1: {FILE_LINES + 1} lines in a file"),
        ("net/a.py", "def _f():" + "\n    pass" * FUNCTION_LINES, f"2: {FUNCTION_LINES + 1} lines in _f"),
        ("net/a.py", "class StanzaHandler:\n    '''.'''", "2: StanzaHandler: handler says nothing"),
        ("net/a.py", "class XMPPUtils:\n    '''.'''", "2: XMPPUtils: util says nothing"),
        ("net/a.py", "def _process_by_engine(): pass", "2: _process_by_engine: engine says nothing"),
        ("net/a.py", "class A:\n    '''.'''\n    def b(self): pass", "4: b has no docstring"),
        ("net/a.py", "class A: pass", "2: A has no docstring"),
        ("net/a.py", "async def a(): pass", "2: a has no docstring"),
    ],
)
def test_a_violation_is_found(tmp_path: Path, path: str, code: str, sentence: str) -> None:
    assert sentence in "\n".join(wrong(tmp_path, path, code))


def test_a_file_without_a_docstring_is_found(tmp_path: Path) -> None:
    assert wrong(tmp_path, "net/a.py", "A = 1", documented=False) == ["1: a file begins with a docstring"]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("xmpp/wokkel.py", "import twisted.python.compat\nimport constantly"),
        ("xmpp/bridge.py", "from twisted.words.xish import domish"),
        ("xmpp/disco.py", "from .wokkel import disco"),
        ("xmpp/jid.py", "import idna\nfrom precis_i18n import get_profile"),
        ("core/stanza_parser.py", "from xml.etree.ElementTree import XMLParser\nimport pyexpat"),
        ("core/a.py", "from xml.sax.saxutils import unescape"),
        ("core/muc/room.py", "from . import occupants\nfrom ...xmpp import jid\nfrom .. import release"),
        ("core/a.py", "from datetime import UTC, datetime\nA = datetime.fromtimestamp(0, UTC)"),
        ("xep/xep_0060_pubsub/__init__.py", "from .node import A\nfrom ...services import pep\nfrom . import item"),
        ("host/hooks.py", "async def _f(): await g()"),
        ("net/c2s.py", "from twisted.internet import reactor\nfrom ..host import router\nimport time\ntime.time()"),
        ("storage/tables.py", "import sqlalchemy\nimport alembic"),
        ("app/service.py", "from twisted.application import service\nfrom .. import net, storage, xep, services"),
        ("net/a.py", "from xml.etree.ElementTree import Element\nfrom urllib.parse import urlparse"),
        ("net/a.py", "class Handled:\n    '''.'''\n    def __init__(self): pass\n    def _b(self): pass"),
    ],
)
def test_what_is_allowed_is_not_found(tmp_path: Path, path: str, code: str) -> None:
    assert wrong(tmp_path, path, code) == []


def class_with(name: str, methods: int, attributes: int = 0) -> str:
    lines = [f"class {name}:", "    '''.'''", *(f"    a{i}: int" for i in range(attributes))]
    lines += [f"    def m{i}(self):\n        '''.'''\n        self.m0 = self.a0 = 1" for i in range(methods)]
    return "\n".join([*lines, "    def _private(self): pass", ""])


def test_a_class_may_have_so_many_public_methods(tmp_path: Path) -> None:
    assert wrong(tmp_path, "net/a.py", class_with("A", PUBLIC_METHODS)) == []
    (sentence,) = wrong(tmp_path, "net/a.py", class_with("A", PUBLIC_METHODS + 1))
    assert sentence.startswith(f"2: {PUBLIC_METHODS + 1} public methods in A")


def test_the_host_of_the_extensions_is_narrower(tmp_path: Path) -> None:
    assert wrong(tmp_path, "host/extension.py", class_with("Host", HOST_MEMBERS - 2, 2)) == []
    (sentence,) = wrong(tmp_path, "host/extension.py", class_with("Host", HOST_MEMBERS - 2, 3))
    assert sentence.startswith(f"2: {HOST_MEMBERS + 1} members in Host")
    assert wrong(tmp_path, "host/extension.py", class_with("Other", HOST_MEMBERS - 2, 3)) == []


def test_an_exception_is_needed_or_wrong(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("A = 1\n")
    reason = {("a.py", "everything_public_is_explained"): "a reason"}
    assert check(tmp_path, exceptions=reason) == []
    (tmp_path / "a.py").write_text('"""A file."""\n')
    assert check(tmp_path, exceptions=reason) == ["a.py: no exception to everything_public_is_explained is needed"]


@pytest.mark.parametrize(
    "code",
    ["from time import sleep", "import time\ntime.sleep(1)", "import asyncio\nasyncio.sleep(1)", "import wokkel.disco"],
)
def test_a_violation_in_a_test_is_found(tmp_path: Path, code: str) -> None:
    (tmp_path / "test_a.py").write_text(code)
    assert len(check(tmp_path, TEST_RULES)) == 1
