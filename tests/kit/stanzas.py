"""Looking into what came: finding, describing and matching elements.

Elements of `jabber:client` have bare tags here (`message`, `body`); all others have Clark names, which paths write with
the prefixes of `ns.PREFIXES`.
"""

from collections.abc import Callable
from xml.etree.ElementTree import Element, tostring
from xml.sax.saxutils import escape, quoteattr

from . import ns

Check = str | Callable[[Element], object]

__all__ = [
    "Check",
    "Element",
    "codes",
    "error",
    "escape",
    "find",
    "find_all",
    "form_fields",
    "form_values",
    "item",
    "mismatch",
    "quoteattr",
    "show",
    "text",
]


def find(element: Element, path: str) -> Element | None:
    """The first element at that path, which uses the prefixes of `ns.PREFIXES`."""
    return element.find(path, ns.PREFIXES)


def find_all(element: Element, path: str) -> list[Element]:
    return element.findall(path, ns.PREFIXES)


def text(element: Element, path: str) -> str | None:
    """The text of the element at that path: None if there is no such element, "" if it is empty."""
    return element.findtext(path, None, ns.PREFIXES)


def show(element: Element) -> str:
    """The element as a person reads it in a failed test."""
    return tostring(element, encoding="unicode")


def error(stanza: Element) -> tuple[str, str]:
    """(type, condition) of an error stanza."""
    found = stanza.find("error")
    assert found is not None, f"no error in {show(stanza)}"
    conditions = [child.tag for child in found if child.tag.startswith(f"{{{ns.STANZA_ERRORS}}}")]
    names = [tag.split("}")[1] for tag in conditions if not tag.endswith("}text")]
    assert len(names) == 1, f"not one condition in {show(stanza)}"
    return found.get("type", ""), names[0]


def codes(stanza: Element) -> set[str]:
    """The status codes of a stanza from a room."""
    return {status.get("code", "") for status in find_all(stanza, "user:x/user:status")}


def item(presence: Element) -> dict[str, str]:
    """The attributes of the one item in a presence from a room."""
    items = find_all(presence, "user:x/user:item")
    assert len(items) == 1, f"not one item in {show(presence)}"
    return dict(items[0].attrib)


def form_fields(element: Element) -> dict[str, Element]:
    """The fields of the data form below an element, by `var`."""
    form = element if element.tag == f"{{{ns.DATA}}}x" else find(element, ".//data:x")
    assert form is not None, f"no data form in {show(element)}"
    return {field.get("var", ""): field for field in find_all(form, "data:field")}


def form_values(element: Element) -> dict[str, list[str]]:
    """The values of the data form below an element, by `var`."""
    fields = form_fields(element).items()
    return {var: [value.text or "" for value in find_all(field, "data:value")] for var, field in fields}


def mismatch(element: Element, kind: str, checks: tuple[Check, ...], attributes: dict[str, str | None]) -> str:
    """Why the element is not what is wanted; "" if it is.

    `kind` is its tag (with a prefix of `ns.PREFIXES`, if any). A check is a path that has to be there, or a function
    that has to be true. An attribute given as None has to be absent; `from_` and the like stand for Python's keywords.
    """
    if ":" in kind:
        prefix, name = kind.split(":")
        kind = f"{{{ns.PREFIXES[prefix]}}}{name}"
    if element.tag != kind:
        return f"it is no {kind}"
    for name, value in attributes.items():
        name = name.rstrip("_")
        if element.get(name) != value:
            return f"its {name} is {element.get(name)!r}, not {value!r}"
    for check in checks:
        if isinstance(check, str):
            if find(element, check) is None:
                return f"it has no {check}"
        elif not check(element):
            return f"it fails {getattr(check, '__name__', check)}"
    return ""
