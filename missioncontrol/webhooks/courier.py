"""Carries messages to endpoints: each by one request, to a checked address, within bounds.

Three things could lead a request astray, and none may: the name could resolve
to an address of our own network (it is resolved here, once, and the connection
goes to the address that was checked), the endpoint could redirect (nothing is
followed), and the environment could name a proxy (none is asked).
"""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from socket import SOCK_STREAM
from typing import Final

import httpx

from missioncontrol.webhooks.endpoint import Endpoint, EndpointError, require_outside

TIMEOUT_S: Final = 15.0  # for everything: name, connection, request, answer
RUN_S: Final = 10.0  # no message of a run is begun later
EXCERPT_OCTETS: Final = 1024  # of the answer that are read
# How a connection fails that the other end closed, as it may at any time.
_LINE_ENDED: Final = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
_RESOLVERS: Final = 64  # threads; a name server that hangs keeps one busy


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is sent."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it: an answer, or why there is none."""

    status: int | None = None
    excerpt: str = ""
    retry_after: str = ""
    fault: str = ""
    took_s: float = 0.0


class Courier:
    """Sends messages side by side, in a thread of its own that never touches the database."""

    def __init__(self, *, allowed_hosts: Collection[str], timeout_s: float = TIMEOUT_S) -> None:
        """Start the thread.

        Args:
            allowed_hosts: Hosts whose addresses are not checked.
            timeout_s: For one message in all.
        """
        self._allowed_hosts = frozenset(allowed_hosts)
        self._timeout_s = timeout_s
        # Made once: it reads the machine's certificate authorities.
        self._tls = ssl.create_default_context()
        self._ends_runs = False
        self._resolvers = ThreadPoolExecutor(_RESOLVERS, "webhook-names")
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(self._resolvers)
        self._thread = threading.Thread(target=self._run, name="webhook-courier", daemon=True)
        self._thread.start()

    def send(self, endpoint: Endpoint, messages: Sequence[Message]) -> Future[list[Outcome]]:
        """Send messages to an endpoint, one after the other, over one connection if it lets us.

        The outcomes come when they are known, in any case in time. They end with
        the first fault, when the run has lasted for ``RUN_S``, or when the
        endpoint has closed the connection.
        """
        return asyncio.run_coroutine_threadsafe(self._send(endpoint, messages), self._loop)

    def end_runs(self) -> None:
        """Begin no other message of the runs that are under way."""
        self._ends_runs = True

    def stop(self) -> None:
        """Break off what is under way."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._resolvers.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        try:
            self._loop.run_forever()
            under_way = asyncio.all_tasks(self._loop)
            for task in under_way:
                task.cancel()
            if under_way:
                self._loop.run_until_complete(asyncio.wait(under_way))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            self._loop.close()

    async def _send(self, endpoint: Endpoint, messages: Sequence[Message]) -> list[Outcome]:
        begun_s = time.monotonic()
        outcomes: list[Outcome] = []
        # A client for each run: a connection that was kept for another would be found again
        # by its address, and could carry the requests of another host that shares it.
        async with httpx.AsyncClient(
            verify=self._tls,
            trust_env=False,
            follow_redirects=False,
            timeout=self._timeout_s,
        ) as client:
            address = ""
            for message in messages:
                lasted_s = time.monotonic() - begun_s
                if outcomes and (outcomes[-1].fault or lasted_s > RUN_S or self._ends_runs):
                    break
                message_begun_s = time.monotonic()
                try:
                    async with asyncio.timeout(self._timeout_s):
                        address = address or await self._address(endpoint)
                        outcome = await _request(client, endpoint, address, message)
                except TimeoutError:
                    fault = f"There was no answer within {self._timeout_s:g} s."
                    outcome = Outcome(fault=fault)
                except EndpointError as error:
                    outcome = Outcome(fault=str(error))
                except (httpx.HTTPError, OSError, ValueError) as error:
                    if outcomes and isinstance(error, _LINE_ENDED):
                        break  # between two messages: the next run begins with this one
                    outcome = Outcome(fault=f"It cannot be reached: {_said(error)}.")
                outcomes.append(replace(outcome, took_s=time.monotonic() - message_begun_s))
        return outcomes

    async def _address(self, endpoint: Endpoint) -> str:
        """Return the address that a request goes to.

        Raises:
            EndpointError: it is one of our own network.
        """
        found = await asyncio.get_running_loop().getaddrinfo(
            endpoint.host, endpoint.port, type=SOCK_STREAM
        )
        addresses = [str(place[0]).partition("%")[0] for *_, place in found]
        if endpoint.host not in self._allowed_hosts:
            require_outside(addresses, host=endpoint.host)
        return addresses[0]


async def _request(
    client: httpx.AsyncClient, endpoint: Endpoint, address: str, message: Message
) -> Outcome:
    shown = f"[{address}]" if ":" in address else address
    request = client.build_request(
        "POST",
        f"{endpoint.scheme}://{shown}:{endpoint.port}{endpoint.target}",
        headers={**message.headers, "Host": endpoint.authority},
        content=message.body,
        # The certificate is checked for the name, the connection goes to the address.
        extensions={"sni_hostname": endpoint.host},
    )
    response = await client.send(request, stream=True)
    try:
        excerpt = await _beginning(response)
    finally:
        await response.aclose()
    return Outcome(
        status=response.status_code,
        excerpt=excerpt,
        retry_after=response.headers.get("Retry-After", ""),
        fault="" if response.is_success else _meaning(response.status_code),
    )


def _said(error: Exception) -> str:
    """Return what an error says; httpx keeps the system's own words behind it."""
    said = str(error.__context__ or "") or str(error)
    return said or type(error).__name__


async def _beginning(response: httpx.Response) -> str:
    """Return the begin of an answer as text that a page can show."""
    octets = b""
    async for chunk in response.aiter_raw():
        octets += chunk
        if len(octets) >= EXCERPT_OCTETS:
            break
    text = octets[:EXCERPT_OCTETS].decode(errors="replace")
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def _meaning(status: int) -> str:
    if 300 <= status < 400:
        return f"It answers {status}; redirects are not followed. Give the address it leads to."
    return f"It answers {status}; only 200 to 299 say that a message has arrived."
