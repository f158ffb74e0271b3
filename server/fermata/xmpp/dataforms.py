"""Data forms (XEP-0004) with a FORM_TYPE (XEP-0068): what a peer is asked, and what it answered.

wokkel writes and reads the XML; here are fields that say their type by name, and answers that are checked when they
are asked for.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from . import namespaces as ns
from .bridge import Address, from_domish, to_domish
from .element import Element
from .errors import StanzaError
from .jid import JID, JIDError
from .wokkel import data_form

DATA_FORM: Final = "{%s}x" % ns.DATA_FORMS
TYPES: Final = frozenset({"form", "submit", "cancel", "result"})
_FIELD: Final = "{%s}field" % ns.DATA_FORMS
_VALUE: Final = "{%s}value" % ns.DATA_FORMS
_BOOLEANS: Final = {"1": True, "true": True, "0": False, "false": False}


@dataclass(frozen=True, slots=True)
class Field:
    """One field (XEP-0004 §3.2), made by the constructor for its type.

    `options` maps the values that may be chosen to their labels.
    """

    type: str
    var: str = ""
    values: tuple[str, ...] = ()
    label: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    required: bool = False

    @classmethod
    def boolean(cls, var: str, value: bool, label: str = "") -> "Field":
        """Yes or no."""
        return cls("boolean", var, ("true" if value else "false",), label)

    @classmethod
    def text_single(cls, var: str, value: str = "", label: str = "", required: bool = False) -> "Field":
        """One line of text."""
        return cls("text-single", var, (value,), label, required=required)

    @classmethod
    def text_multi(cls, var: str, value: str = "", label: str = "") -> "Field":
        """Lines of text, given as one text with line breaks."""
        return cls("text-multi", var, tuple(value.splitlines()), label)

    @classmethod
    def text_private(cls, var: str, value: str = "", label: str = "", required: bool = False) -> "Field":
        """One line of text that is not shown while it is typed."""
        return cls("text-private", var, (value,), label, required=required)

    @classmethod
    def list_single(cls, var: str, value: str, options: Mapping[str, str], label: str = "") -> "Field":
        """One of several options."""
        return cls("list-single", var, (value,), label, options)

    @classmethod
    def list_multi(cls, var: str, values: Iterable[str], options: Mapping[str, str], label: str = "") -> "Field":
        """Any of several options."""
        return cls("list-multi", var, tuple(values), label, options)

    @classmethod
    def jid_single(cls, var: str, value: str, label: str = "") -> "Field":
        """One address; none if empty."""
        return cls("jid-single", var, (value,) if value else (), label)

    @classmethod
    def jid_multi(cls, var: str, values: Iterable[str], label: str = "") -> "Field":
        """Any number of addresses."""
        return cls("jid-multi", var, tuple(values), label)

    @classmethod
    def hidden(cls, var: str, value: str) -> "Field":
        """What comes back as it is when the form is filled in."""
        return cls("hidden", var, (value,))

    @classmethod
    def fixed(cls, value: str) -> "Field":
        """Text between the fields, for people."""
        return cls("fixed", "", (value,))


@dataclass(frozen=True, slots=True)
class Form:
    """A form to be filled in, or one that was.

    `type` is form, submit, cancel or result; `form_type` the FORM_TYPE, empty for none. The methods from `text` on
    return what was answered, or their default where nothing was; they raise StanzaError `not-acceptable` for an answer
    of another type, and for none where there is no default.
    """

    type: str
    form_type: str = ""
    fields: tuple[Field, ...] = ()
    title: str = ""
    instructions: str = ""

    @classmethod
    def parse(cls, element: Element, form_type: str = "") -> "Form":
        """The form that an element holds; `form_type` is the one that is expected, if any.

        A form that names no FORM_TYPE passes for any: few clients write one into an empty submit (XEP-0045 §10.1.2)
        or a cancel. Raises StanzaError `bad-request`.
        """
        tree = to_domish(element)
        try:
            parsed = data_form.Form.fromElement(tree)
        except Exception as error:  # wokkel does not promise which: Error, TypeError, ValueError …
            raise StanzaError("bad-request", "this is no data form") from error
        form = cls(
            parsed.formType or "",
            _form_type_of(element, parsed),
            tuple(_from_wokkel(item) for item in parsed.fieldList if item.var != "FORM_TYPE"),
            parsed.title or "",
            "\n".join(parsed.instructions),
        )
        if form.type not in TYPES:
            raise StanzaError("bad-request", "a data form is of type form, submit, cancel or result")
        if form_type and form.form_type and form.form_type != form_type:
            raise StanzaError("bad-request", f"the FORM_TYPE should be {form_type}")
        return form

    def element(self) -> Element:
        """The form as XML."""
        form = data_form.Form(
            self.type,
            self.title,
            self.instructions.splitlines(),
            self.form_type or None,
            [_to_wokkel(item) for item in self.fields],
        )
        return from_domish(form.toElement())

    def __contains__(self, var: str) -> bool:
        return any(item.var == var for item in self.fields)

    def values(self, var: str) -> tuple[str, ...]:
        """All values of a field as they stand; none if there is no such field."""
        for item in self.fields:
            if item.var == var:
                return item.values
        return ()

    def text(self, var: str, default: str | None = None) -> str:
        """The one value of a field; empty for a field without a value."""
        values = self.values(var) or (("",) if var in self else ())
        if not values and default is not None:
            return default
        if len(values) != 1:
            raise StanzaError("not-acceptable", f"{var} should have one value")
        return values[0]

    def lines(self, var: str, default: str | None = None) -> str:
        """The values of a field as the lines of one text."""
        return "\n".join(self.values(var)) if var in self else self.text(var, default)

    def boolean(self, var: str, default: bool | None = None) -> bool:
        """Yes or no (XML Schema's boolean: 1, true, 0, false)."""
        if default is not None and not self.values(var):
            return default
        try:
            return _BOOLEANS[self.text(var)]
        except KeyError:
            raise StanzaError("not-acceptable", f"{var} should be true or false") from None

    def number(self, var: str, default: int | None = None, lowest: int = 0, highest: int = 2**31 - 1) -> int:
        """A whole number between two limits, both included, of which the lower may not be negative."""
        if default is not None and not self.values(var):
            return default
        text = self.text(var)
        if len(text) > 10 or not (text.isascii() and text.isdigit()) or not lowest <= int(text) <= highest:
            raise StanzaError("not-acceptable", f"{var} should be a number from {lowest} to {highest}")
        return int(text)

    def option(self, var: str, options: Collection[str], default: str | None = None) -> str:
        """The one of these options that was chosen."""
        if default is not None and not self.values(var):
            return default
        chosen = self.text(var)
        if chosen not in options:
            raise StanzaError("not-acceptable", f"{var} should be one of: {', '.join(options)}")
        return chosen

    def options(self, var: str, options: Collection[str], default: Iterable[str] = ()) -> tuple[str, ...]:
        """Those of these options that were chosen."""
        if var not in self:
            return tuple(default)
        chosen = self.values(var)
        if not all(value in options for value in chosen):
            raise StanzaError("not-acceptable", f"{var} should be some of: {', '.join(options)}")
        return chosen

    def jids(self, var: str, default: Iterable[JID] = ()) -> tuple[JID, ...]:
        """The addresses given; a blank value is none."""
        if var not in self:
            return tuple(default)
        try:
            return tuple(JID.parse(value.strip()) for value in self.values(var) if value.strip())
        except JIDError as error:
            raise StanzaError("not-acceptable", f"{var} should have addresses only") from error


def _to_wokkel(item: Field) -> Any:
    values = [Address(value) for value in item.values] if item.type.startswith("jid-") else list(item.values)
    return data_form.Field(
        item.type or None, item.var or None, None, values, item.options, item.label or None, required=item.required
    )


def _from_wokkel(parsed: Any) -> Field:
    options = {option.value: option.label or "" for option in parsed.options}
    return Field(
        parsed.fieldType or "", parsed.var or "", tuple(parsed.values), parsed.label or "", options, parsed.required
    )


def _form_type_of(element: Element, parsed: Any) -> str:
    """The FORM_TYPE's one value.

    Its field is hidden, which a submit need not repeat (XEP-0068 §3); two values are ill-formed (XEP-0115 §5.4).
    """
    fields = [item for item in element if item.tag == _FIELD and item.get("var") == "FORM_TYPE"]
    values = {value.text or "" for item in fields for value in item if value.tag == _VALUE}
    if len(values) > 1:
        raise StanzaError("bad-request", "a data form has one FORM_TYPE")
    if parsed.formNamespace is None and parsed.formType == "submit":
        return next(iter(values), "")
    return parsed.formNamespace or ""
