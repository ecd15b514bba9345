from __future__ import annotations

import asyncio
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from redis.exceptions import RedisError

from missioncontrol.accounts.tickets import redeem_ticket
from missioncontrol.console.audience import audience_of
from missioncontrol.console.hub import (
    CLOSE_NOT_ALLOWED,
    CLOSE_NOT_SIGNED_IN,
    Client,
    live_hub,
)


class LiveConsumer(AsyncWebsocketConsumer):
    """Carries what changes to one open console. Relays; decides nothing.

    The page is complete when the view makes it, so a lost socket costs
    freshness and never truth. What the browser sends is ignored: an
    operator's acts are HTTP requests.
    """

    client: Client | None = None
    sender: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        user = self.scope["user"]
        if not user.is_authenticated or not await self._has_ticket():
            await self._refuse(CLOSE_NOT_SIGNED_IN)
            return
        audience = await database_sync_to_async(audience_of)(user.pk)
        if audience is None:
            await self._refuse(CLOSE_NOT_ALLOWED)
            return
        session_key = self.scope["session"].session_key
        self.client = Client(session_key=session_key, operator_id=user.pk, audience=audience)
        # Joined before it is accepted: from the moment that it is open it misses nothing.
        await live_hub.join(self.client)
        await self.accept()
        self.sender = asyncio.create_task(self._send_all(self.client))

    async def _refuse(self, code: int) -> None:
        """Accept and close: refused before it is accepted, a browser would learn no code."""
        await self.accept()
        await self.close(code=code)

    async def _has_ticket(self) -> bool:
        """Return whether the address shows a fresh ticket of this very session."""
        shown = parse_qs(self.scope["query_string"].decode("latin-1")).get("ticket", [""])[0]
        try:
            holder = await database_sync_to_async(redeem_ticket)(shown)
        except RedisError:
            return False
        return holder is not None and holder.session_key == self.scope["session"].session_key

    async def disconnect(self, code: int) -> None:
        if self.sender is not None:
            self.sender.cancel()
        if self.client is not None:
            await live_hub.leave(self.client)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Ignore the browser."""

    async def _send_all(self, client: Client) -> None:
        while (text := await client.next_text()) is not None:
            await self.send(text_data=text)
        await self.close(code=client.close_code)
