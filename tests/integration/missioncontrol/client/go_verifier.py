"""The Go program of docs/verify, built where Go is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[4] / "docs" / "verify" / "verify.go"
# Where Debian's golang-golang-x-mod-dev puts its packages.
_LIBRARIES = Path("/usr/share/gocode")


def why_not():
    """Return why the program cannot be built here, or None."""
    if shutil.which("go") is None:
        return "Go is not installed (Debian: golang-go)"
    if not (_LIBRARIES / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        return "x/mod is not installed (Debian: golang-golang-x-mod-dev)"
    return None


def build(folder):
    """Return the built program."""
    program = folder / "verify"
    environment = {
        **os.environ,
        "GO111MODULE": "off",
        "GOPATH": str(_LIBRARIES),
        "GOFLAGS": "",
        "GOCACHE": str(folder / "cache"),
    }
    for arguments in (["vet", SOURCE], ["build", "-o", program, SOURCE]):
        subprocess.run(["go", *map(str, arguments)], env=environment, check=True)
    return program


def verify(program, source, *, vkey, further=(), index=None, token=None):
    """Return (status, output, errors)."""
    keys = [word for each in (vkey, *further) for word in ("-vkey", each)]
    more = [] if index is None else ["-index", str(index)]
    environment = {name: value for name, value in os.environ.items() if name != "MC_TOKEN"}
    done = subprocess.run(
        [str(program), *keys, *more, str(source)],
        env=environment | ({} if token is None else {"MC_TOKEN": token}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr
