"""What the source tree may not do: the layer rule, the budgets and the names, read from the syntax trees.

A rule is a function from a source file to sentences about what is wrong in it; each names a line. `check` runs them
all over a package; tests/test_architecture.py says for which, and proves that each rule bites.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGE = "fermata"

# Who may import whom; a layer may always import itself. `app`, which puts all of them together, stands outside.
BELOW = {
    "xmpp": set[str](),
    "core": {"xmpp"},
    "host": {"xmpp", "core"},
    "services": {"xmpp", "core", "host"},
    "xep": {"xmpp", "core", "host", "services"},
    "net": {"xmpp", "core", "host"},
    "storage": {"xmpp", "core", "host"},
}
# What the inner layers may use beside the standard library.
THIRD_PARTY = {"xmpp": {"precis_i18n", "idna"}, "core": set[str](), "host": set(), "services": set(), "xep": set()}
# The one way to wokkel, and the bridge to its elements.
SHIM = {"xmpp/wokkel.py": {"twisted", "constantly"}, "xmpp/bridge.py": {"twisted"}}
# Time, chance and I/O come into the core as arguments and leave it as effects.
NOT_IN_CORE = set(
    "asyncio concurrent importlib io logging multiprocessing os pathlib queue random secrets select selectors signal"
    " socket sqlite3 ssl subprocess tempfile threading time uuid".split()
)
CLOCK_CALLS = {"now", "today", "utcnow"}
# Bytes become elements in one place, and so do the stanzas that a row or a file has kept.
XML_PARSERS = {"core/stanza_parser.py", "core/stream_header.py", "core/stored_xml.py"}
ELSEWHERE = "XML is parsed by core.stanza_parser, stored XML by core.stored_xml"
PARSER_MODULES = {"pyexpat", "xml.parsers", "xml.sax.expatreader", "xml.sax.handler", "xml.dom", "lxml"}
PARSER_NAMES = set(
    "XML XMLID XMLParser XMLPullParser fromstring fromstringlist iterparse make_parser parse parseString".split()
)

FILE_LINES, FUNCTION_LINES, PUBLIC_METHODS, HOST_MEMBERS = 400, 60, 15, 12
HOST_FILES = {"host/extension.py", "host/virtual_host.py"}
BANNED_WORDS = {"handler", "manager", "processor", "engine", "helper", "util", "common", "misc"}

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One file: `path` below the package, in POSIX form."""

    path: str
    text: str
    tree: ast.Module

    @property
    def layer(self) -> str:
        """The sub-package it belongs to; empty for a file at the top."""
        return self.path.partition("/")[0] if "/" in self.path else ""

    @property
    def module(self) -> list[str]:
        """Its dotted name in parts; of an `__init__.py`, the package's."""
        parts = [PACKAGE, *self.path.removesuffix(".py").split("/")]
        return parts[:-1] if parts[-1] == "__init__" else parts

    @property
    def package(self) -> list[str]:
        """The package that its relative imports start from."""
        return [PACKAGE, *self.path.split("/")[:-1]]

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All of its tree."""
        return list(ast.walk(self.tree))


Rule = Callable[[Source], Iterator[tuple[int, str]]]


def read_sources(root: Path) -> Iterator[Source]:
    """Every Python file below a directory."""
    for path in sorted(root.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        yield Source(path.relative_to(root).as_posix(), text, ast.parse(text, str(path)))


def check(root: Path, rules: "list[Rule] | None" = None, exceptions: Mapping[tuple[str, str], str] = {}) -> list[str]:
    """All that is wrong below a directory, as `path:line: sentence`.

    `exceptions` maps (path, a rule's name) to the reason why that file may break it; one that no file needs is wrong
    too.
    """
    found, needed = [], set()
    for source in read_sources(root):
        for rule in rules or PACKAGE_RULES:
            for line, sentence in rule(source):
                needed.add((source.path, rule.__name__))
                if (source.path, rule.__name__) not in exceptions:
                    found.append(f"{source.path}:{line}: {sentence}")
    return found + [f"{path}: no exception to {rule} is needed" for path, rule in sorted(set(exceptions) - needed)]


def _imports(source: Source) -> Iterator[tuple[int, str, bool]]:
    """(line, dotted name, relative) of whatever is imported, wherever in the file, each name of a `from` apart."""
    for node in source.nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, False
        elif isinstance(node, ast.ImportFrom):
            start = source.package[: len(source.package) - node.level + 1] if node.level else []
            module = [*start, *([node.module] if node.module else [])]
            for alias in node.names:
                yield node.lineno, ".".join([*module, alias.name]), bool(node.level)


def _nodes(source: Source, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
    return (node for node in source.nodes if isinstance(node, kinds))


def imports_point_downward(source: Source) -> Iterator[tuple[int, str]]:
    """Each layer imports those below it."""
    if source.layer not in BELOW:
        return
    for line, name, _ in _imports(source):
        parts = name.split(".")
        if parts[0] != PACKAGE or len(parts) < 2:
            continue
        if parts[1] != source.layer and parts[1] not in BELOW[source.layer]:
            yield line, f"{source.layer} may not import {parts[1]}"


def inner_layers_use_the_standard_library(source: Source) -> Iterator[tuple[int, str]]:
    """Twisted is for the shell, SQLAlchemy for storage; wokkel is imported by nobody (the shim does it by name)."""
    for line, name, relative in _imports(source):
        top = name.partition(".")[0]
        if relative or top == PACKAGE or top in sys.stdlib_module_names:
            continue
        if source.layer in THIRD_PARTY and top not in THIRD_PARTY[source.layer] | SHIM.get(source.path, set()):
            yield line, f"{source.layer} may not import {top}"
        elif top in ("sqlalchemy", "alembic") and source.layer != "storage":
            yield line, f"only storage may import {top}"


def wokkel_comes_through_the_shim(source: Source) -> Iterator[tuple[int, str]]:
    """`from .wokkel import …` makes it run; `import wokkel` may fail or warn."""
    for line, name, relative in _imports(source):
        if name.partition(".")[0] == "wokkel" and not relative:
            yield line, "wokkel is imported through fermata.xmpp.wokkel"


def imports_inside_are_relative(source: Source) -> Iterator[tuple[int, str]]:
    """So that a file's imports show how far away they reach."""
    for line, name, relative in _imports(source):
        if name.partition(".")[0] == PACKAGE and not relative:
            yield line, "inside the package, imports are relative"


def extensions_do_not_know_each_other(source: Source) -> Iterator[tuple[int, str]]:
    """What two XEPs need goes down: to a payload, a service or a hook."""
    if source.layer != "xep":
        return
    own = source.module[:3]
    for line, name, _ in _imports(source):
        parts = name.split(".")[:3]
        if parts[:2] == [PACKAGE, "xep"] and parts != own:
            yield line, "a XEP file may not import another"


def no_import_is_for_types_only(source: Source) -> Iterator[tuple[int, str]]:
    """A cycle hidden behind TYPE_CHECKING is still a cycle; declare a Protocol where it is used."""
    for node in source.nodes:
        named = isinstance(node, ast.Name) and node.id == "TYPE_CHECKING"
        attribute = isinstance(node, ast.Attribute) and node.attr == "TYPE_CHECKING"
        if named or attribute:
            yield node.lineno, "TYPE_CHECKING is not used"


def core_is_sans_io(source: Source) -> Iterator[tuple[int, str]]:
    """The core neither waits nor looks at a clock, neither draws numbers nor makes ids."""
    if source.layer != "core":
        return
    for line, name, relative in _imports(source):
        if not relative and name.partition(".")[0] in NOT_IN_CORE:
            yield line, f"the core may not import {name.partition('.')[0]}"
    for node in _nodes(source, ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith):
        yield node.lineno, "the core does not wait"
    for node in _nodes(source, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in CLOCK_CALLS:
            yield node.lineno, "the core has no clock: time is an argument"


def xml_is_parsed_in_one_place(source: Source) -> Iterator[tuple[int, str]]:
    """Only there are the limits and the refusals of restricted XML."""
    if source.path in XML_PARSERS:
        return
    for line, name, _ in _imports(source):
        module, _, last = name.rpartition(".")
        parser = any(name == parser or name.startswith(parser + ".") for parser in PARSER_MODULES)
        if parser or (module.startswith(("xml.etree", "xml.sax")) and last in PARSER_NAMES):
            yield line, ELSEWHERE
    for node in _nodes(source, ast.Attribute):
        library = node.attr in PARSER_NAMES and ast.unparse(node.value).endswith(("ElementTree", "etree", "ET"))
        if library or node.attr == "parseXml":
            yield node.lineno, ELSEWHERE


def files_are_small(source: Source) -> Iterator[tuple[int, str]]:
    """A file is read in one sitting."""
    lines = source.text.count("\n")
    if lines > FILE_LINES:
        yield 1, f"{lines} lines in a file; {FILE_LINES} are refused, 250 wanted"


def functions_are_small(source: Source) -> Iterator[tuple[int, str]]:
    """A function fits on the screen."""
    for node in _nodes(source, ast.FunctionDef, ast.AsyncFunctionDef):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > FUNCTION_LINES:
            yield node.lineno, f"{lines} lines in {node.name}; {FUNCTION_LINES} are refused, 30 wanted"


def _public_members(cls: ast.ClassDef) -> set[str]:
    members = set()
    for node in ast.walk(cls):
        if node in cls.body and isinstance(node, _Function):
            members.add(node.name)
        elif node in cls.body and isinstance(node, ast.AnnAssign):
            members.add(ast.unparse(node.target))
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self":
            members.add(node.attr)
    return {name for name in members if not name.startswith("_")}


def classes_are_small(source: Source) -> Iterator[tuple[int, str]]:
    """No god objects; the Host that extensions see is the narrowest."""
    for node in _nodes(source, ast.ClassDef):
        methods = [item for item in node.body if isinstance(item, _Function) and not item.name.startswith("_")]
        if len(methods) > PUBLIC_METHODS:
            yield node.lineno, f"{len(methods)} public methods in {node.name}; {PUBLIC_METHODS} are allowed"
        if node.name == "Host" and source.path in HOST_FILES:
            members = _public_members(node)
            if len(members) > HOST_MEMBERS:
                yield node.lineno, f"{len(members)} members in Host; {HOST_MEMBERS} are allowed"


def names_say_something(source: Source) -> Iterator[tuple[int, str]]:
    """The specifications have a better word than these."""
    for node in _nodes(source, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef):
        words = {word.lower().removesuffix("s") for word in _WORD.findall(node.name)}
        for word in sorted(words & BANNED_WORDS):
            yield node.lineno, f"{node.name}: {word} says nothing"


def everything_public_is_explained(source: Source) -> Iterator[tuple[int, str]]:
    """The first line of a file says what it is; so does that of each public class and function."""
    if ast.get_docstring(source.tree) is None:
        yield 1, "a file begins with a docstring"
    pending: list[ast.AST] = [source.tree]
    while pending:
        for node in ast.iter_child_nodes(pending.pop()):
            if not isinstance(node, ast.ClassDef | _Function) or node.name.startswith("_"):
                continue
            if ast.get_docstring(node) is None:
                yield node.lineno, f"{node.name} has no docstring"
            if isinstance(node, ast.ClassDef):
                pending.append(node)


def tests_do_not_sleep(source: Source) -> Iterator[tuple[int, str]]:
    """Time moves by a clock that the test holds."""
    for line, name, _ in _imports(source):
        if name in ("time.sleep", "asyncio.sleep"):
            yield line, "a test does not sleep"
    for node in _nodes(source, ast.Attribute):
        if node.attr == "sleep" and ast.unparse(node.value) in ("time", "asyncio"):
            yield node.lineno, "a test does not sleep"


PACKAGE_RULES: list[Rule] = [
    imports_point_downward,
    inner_layers_use_the_standard_library,
    wokkel_comes_through_the_shim,
    imports_inside_are_relative,
    extensions_do_not_know_each_other,
    no_import_is_for_types_only,
    core_is_sans_io,
    xml_is_parsed_in_one_place,
    files_are_small,
    functions_are_small,
    classes_are_small,
    names_say_something,
    everything_public_is_explained,
]
TEST_RULES: list[Rule] = [wokkel_comes_through_the_shim, tests_do_not_sleep]
