"""`fermata check`: whether components can be run, can connect, and keep their secrets."""

import stat
from collections.abc import Iterator
from pathlib import Path

from .component_import import ComponentError, import_factory
from .config import Config
from .finding import Finding, error, warning


def component_findings(config: Config, config_path: Path) -> Iterator[Finding]:
    """Everything about [components]. What runs in the server is imported, as its start would do, but not begun."""
    for domain, component in config.components.inside.items():
        try:
            import_factory(component.handler)
        except ComponentError as wrong:
            hint = "Python looks for it where it looks for everything: install it, or name its directory in PYTHONPATH"
            yield error(f'`inside` "{domain}" in [components]: {wrong}', hint)
    if not config.components.external:
        return
    if not config.components.listen:
        yield warning("`listen` in [components] is empty, so that no external component can connect")
    if config_path.stat().st_mode & stat.S_IROTH:
        yield warning(f"{config_path} can be read by everybody, and has secrets of components in it", "chmod o-r")
