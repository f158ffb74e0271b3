"""wokkel, made to run on today's Twisted: it is imported through this module only.

wokkel 18.0.0 (2018) asks for three things that Twisted has dropped or deprecated: `compat._PY3` (gone since 21.2),
`twisted.python.constants` (gone since 24.11), and `iteritems`/`itervalues`, which warn at every call.

`from .wokkel import data_form` imports that module when it is first asked for: `component` and `client` bring the
reactor with them, which the inner layers must not do.
"""

import importlib
import sys
import types
import warnings
from typing import Final

import constantly

MODULES: Final = frozenset(
    "client component data_form delay disco generic iwokkel muc ping pubsub shim subprotocols xmppim".split()
)


def _restore_what_wokkel_needs() -> None:
    import twisted.python.compat

    # What `import` binds is a proxy that warns; the names below replace the deprecated ones for good.
    compat = sys.modules[twisted.python.compat.__name__]
    restored = {
        "_PY3": True,
        "unicode": str,
        "StringType": str,
        "iteritems": lambda mapping: iter(mapping.items()),
        "itervalues": lambda mapping: iter(mapping.values()),
    }
    for name, value in restored.items():
        setattr(compat, name, value)
    constants = types.ModuleType("twisted.python.constants")
    constants.__dict__.update({name: getattr(constantly, name) for name in constantly.__all__})
    sys.modules.setdefault(constants.__name__, constants)


with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    _restore_what_wokkel_needs()


def __getattr__(name: str) -> types.ModuleType:
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return importlib.import_module("wokkel." + name)
