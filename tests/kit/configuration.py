"""What is said of a wrong configuration."""

from pathlib import Path

import pytest

from fermata.app.config import ConfigError, load


def problems(path: Path) -> list[str]:
    """The lines of what is said of that file, of which there must be some."""
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value) == "\n".join(map(str, caught.value.problems))
    return str(caught.value).splitlines()
