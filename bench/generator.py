"""The load generator: compiled when it is needed, run once for each measurement.

It is written in C, since one in Python would need more CPU time for a stanza than the servers that it is to measure.
"""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from .errors import BenchError

_SOURCES: Final = Path(__file__).parent / "load"
_NEEDED: Final = "on Debian or Ubuntu: apt-get install gcc libc6-dev libssl-dev"
_GRACE_SECONDS: Final = 30

Measured = dict[str, Any]


def compile_generator(directory: Path) -> Path:
    """The program, compiled into this directory unless it is there already. Raises BenchError."""
    sources = sorted(_SOURCES.glob("*.[ch]"))
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    program = directory / f"load-{digest}"
    if program.exists():
        return program
    compiler = os.environ.get("CC") or shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise BenchError(f"the load generator needs a C compiler; {_NEEDED}")
    directory.mkdir(parents=True, exist_ok=True)
    unfinished = program.with_name(f"{program.name}.{os.getpid()}")
    files = [str(source) for source in sources if source.suffix == ".c"]
    command = [compiler, "-O2", "-Wall", "-Wextra", "-std=gnu11", "-o", str(unfinished), *files, "-lssl", "-lcrypto"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lacks_openssl = "openssl/" in done.stderr or "-lssl" in done.stderr
        reason = "needs the headers of OpenSSL 3" if lacks_openssl else "does not compile"
        raise BenchError(f"the load generator {reason}; {_NEEDED}\n{done.stderr[-2000:]}")
    unfinished.rename(program)
    return program


class Generator:
    """Runs the compiled program on the last CPU, so that it disturbs a server on the others as little as can be."""

    def __init__(self, program: Path, keys: Path) -> None:
        self._program, self._keys = program, keys
        self._cpu = max(os.sched_getaffinity(0))

    def run(self, arguments: Sequence[str], *, port: int, server_pid: int, timeout: int = 150) -> Measured:
        """One measurement: the generator's JSON. What went wrong in it is in there (`good`, `faults`).

        Raises BenchError if the generator itself fails.
        """
        places = ["--port", str(port), "--server", str(server_pid), "--cpu", str(self._cpu), "--keys", str(self._keys)]
        command = [str(self._program), *arguments, *places, "--timeout", str(timeout)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=timeout + _GRACE_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise BenchError(f"the load generator did not end: {' '.join(command)}") from error
        if not done.stdout.startswith("{"):
            raise BenchError(f"the load generator failed ({done.returncode}): {done.stderr.strip()}")
        measured: Measured = json.loads(done.stdout)
        return measured
