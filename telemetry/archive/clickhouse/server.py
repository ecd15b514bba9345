"""Asks a ClickHouse server, over its HTTP interface.

What a query is about is bound to it as parameters (``{name:Type}`` in the text) and never
written into its text. Rows go there and come back as Arrow streams.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from telemetry.archive.interface import ArchiveUnavailableError

if TYPE_CHECKING:
    import httpx
    import pyarrow

_CONNECT_S: Final = 3.0
_ANSWER_S: Final = 60.0
_INSERT_S: Final = 20.0  # what a server that hangs holds a reception up for
_SHOWN: Final = 300  # characters of a refusal

_clients: Final[dict[tuple[ClickHouseServer, int], httpx.Client]] = {}


@dataclass(frozen=True, slots=True)
class ClickHouseServer:
    """A database of a server, and as whom it is asked.

    Attributes:
        address: ``http://host:8123`` or ``https://host:8443``.
        database: In which the tables are.
        user: As whom; empty: the server's default user.
        password: Its password.
    """

    address: str
    database: str
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def at(cls, url: str) -> ClickHouseServer:
        """Return the server that ``http://user:password@host:8123/database`` names."""
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        return cls(
            address=f"{parts.scheme}://{host}",
            database=unquote(parts.path.strip("/")),
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
        )

    def run(self, query: str, **parameters: str | int) -> None:
        """Run a statement that gives no rows.

        Raises:
            ArchiveUnavailableError: The server does not answer, or refuses.
        """
        self._post({}, query.encode(), parameters)

    def select(self, query: str, **parameters: str | int) -> pyarrow.Table:
        """Return the rows that a query gives.

        Raises:
            ArchiveUnavailableError: The server does not answer, or refuses.
        """
        import pyarrow.ipc

        octets = self._post({}, f"{query} FORMAT ArrowStream".encode(), parameters)
        with pyarrow.ipc.open_stream(octets) as stream:
            return stream.read_all()

    def insert(self, statement: str, rows: pyarrow.Table) -> None:
        """Insert rows.

        Raises:
            ArchiveUnavailableError: The server does not answer, or refuses; some of the rows
                may be stored.
        """
        import pyarrow.ipc

        sink = pyarrow.BufferOutputStream()
        with pyarrow.ipc.new_stream(sink, rows.schema) as stream:
            stream.write_table(rows)
        self._post(
            {"query": f"{statement} FORMAT ArrowStream"},
            sink.getvalue().to_pybytes(),
            {},
            within_s=_INSERT_S,
        )

    def _post(
        self,
        query: Mapping[str, str],
        body: bytes,
        parameters: Mapping[str, str | int],
        *,
        within_s: float = _ANSWER_S,
    ) -> bytes:
        import httpx

        arguments = {
            "database": self.database,
            # An error in the middle of an answer would look like its end.
            "wait_end_of_query": "1",
            **query,
            **{f"param_{name}": _escaped(value) for name, value in parameters.items()},
        }
        try:
            answer = _client(self).post(
                "/",
                params=arguments,
                content=body,
                timeout=httpx.Timeout(within_s, connect=_CONNECT_S),
            )
        except httpx.HTTPError as error:
            why = str(error) or type(error).__name__
            raise ArchiveUnavailableError(
                f"ClickHouse at {self.address} does not answer: {why}; see that it runs and"
                " ARCHIVE_URL leads to it"
            ) from error
        if answer.is_error:
            raise ArchiveUnavailableError(
                f"ClickHouse at {self.address} refuses: {answer.text.strip()[:_SHOWN]}"
            )
        return answer.content


def close_connections() -> None:
    """Close what this process has opened to servers; the next question opens it again."""
    while _clients:
        _clients.popitem()[1].close()


def _client(server: ClickHouseServer) -> httpx.Client:
    """Return the connections of this process to a server; they serve all its threads."""
    import httpx

    # A process that was forked off has the sockets of its parent, which are not its own.
    key = (server, os.getpid())
    client = _clients.get(key)
    if client is None:
        credentials = {}
        if server.user:
            credentials = {"X-ClickHouse-User": server.user, "X-ClickHouse-Key": server.password}
        client = httpx.Client(
            base_url=server.address,
            headers=credentials,
            trust_env=False,
            verify=ssl.create_default_context(),  # who the machine trusts, private ones too
        )
    return _clients.setdefault(key, client)


def _escaped(value: str | int) -> str:
    """Return a parameter as the server reads it: as a field of tab-separated values."""
    text = str(value).replace("\\", "\\\\")
    return text.replace("\t", "\\t").replace("\n", "\\n").replace("\0", "\\0")
