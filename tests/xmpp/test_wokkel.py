"""The shim round wokkel."""

import subprocess
import sys

import pytest

from fermata.xmpp import wokkel

EVERY_MODULE = """
import sys
from fermata.xmpp import wokkel
from fermata.xmpp.wokkel import data_form, disco, generic, muc, pubsub
assert "twisted.internet.reactor" not in sys.modules, "a payload module brought the reactor"
for name in wokkel.MODULES:
    assert getattr(wokkel, name).__name__ == "wokkel." + name
"""


def test_every_module_imports_where_warnings_are_errors() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", EVERY_MODULE], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_what_wokkel_has_not_is_no_attribute() -> None:
    with pytest.raises(AttributeError):
        _ = wokkel.rsm


def test_using_a_form_and_a_status_code_warns_of_nothing() -> None:
    form = wokkel.data_form.Form("form")
    form.makeFields({"a": "1"}, {"a": {"type": "boolean"}})
    form.typeCheck({"a": {"type": "boolean"}})
    assert form["a"] is True
    assert wokkel.muc.STATUS_CODE.lookupByValue(110).name == "SELF_PRESENCE"
