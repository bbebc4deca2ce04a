"""OPC UA: nodes read and written one session at a time, and a subscription that says what has changed.

The library is an extra (``pip install tidegate[opcua]``); this module is imported only by sites that use it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.node import Node
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.uaerrors import UaError, UaStatusCodeError
from pydantic import SecretStr

from site_agent.drivers.nodes import VARIANTS, Place, Places
from site_agent.drivers.port import PlcDeclined, PlcError, PlcSilent, PlcUndecided, PlcUnreachable
from site_agent.registers import Space

#: A read of these says that the site's file is wrong, not that the value is missing just now.
_WRONG_NODE: Final = frozenset(
    {"BadNodeIdUnknown", "BadNodeIdInvalid", "BadAttributeIdInvalid", "BadNotReadable", "BadUserAccessDenied"}
)
#: With these the server turned a write away before anything was changed (OPC 10000-4, section 5.10.4).
_RULES_OUT_EFFECT: Final = _WRONG_NODE | {
    "BadNotWritable",
    "BadTypeMismatch",
    "BadOutOfRange",
    "BadWriteNotSupported",
    "BadNotSupported",
    "BadUserSignatureInvalid",
    "BadTooManyOperations",
    "BadNothingToDo",
    "BadServiceUnsupported",
    "BadSessionIdInvalid",
    "BadSessionClosed",
    "BadSessionNotActivated",
}
_VALUE: Final = AttributeIds.Value
_FAILURES: Final = (OSError, TimeoutError, asyncio.TimeoutError, ConnectionError)


class OpcUaDriver:
    """One server; errors as in the port. ``on_change`` hears the address of each value that has changed there."""

    def __init__(
        self,
        endpoint: str,
        places: Places,
        *,
        timeout_s: float,
        publish_s: float,
        login: tuple[str, SecretStr] | None,
        on_change: Callable[[int], None],
    ) -> None:
        self._endpoint = endpoint
        self._places = places
        self._timeout_s = timeout_s
        self._publish_s = publish_s
        self._login = login
        self._on_change = on_change
        self._ids = {address: ua.NodeId.from_string(place.node) for address, place in places.items()}
        self._addresses = {id: address for address, id in self._ids.items()}
        self._client: Client | None = None
        self._usable = False
        #: Addresses of nodes that were seen to have their type.
        self._typed: set[int] = set()
        self._asking: asyncio.Task[Any] | None = None
        self.watching = False

    @property
    def connected(self) -> bool:
        """Whether a request could be sent now."""
        return self._usable

    async def open(self) -> None:
        """Connect and subscribe; does nothing when connected.

        Raises:
            PlcUnreachable: no session within the time-out.
        """
        if self._usable:
            return
        await self.close()
        client = self._new_client()
        try:
            async with asyncio.timeout(2 * self._timeout_s):
                await client.connect()
        except (*_FAILURES, UaError) as error:
            client.disconnect_socket()
            raise PlcUnreachable(f"{self._endpoint} gives no session: {_text(error)}") from None
        except BaseException:
            client.disconnect_socket()
            raise
        self._client, self._usable = client, True
        await self._subscribe(client)

    async def close(self) -> None:
        """Disconnect, after a request on its way has ended (within the time-out); never raises."""
        if self._asking is not None:
            await asyncio.wait([self._asking])
        client, usable = self._client, self._usable
        self._client, self._usable, self.watching = None, False, False
        self._typed.clear()
        if client is None:
            return
        client.connection_lost_callback = None
        with contextlib.suppress(*_FAILURES, UaError):
            async with asyncio.timeout(self._timeout_s):
                if usable:
                    await client.disconnect()
        client.disconnect_socket()

    async def read(self, address: int, count: int, space: Space = Space.HOLDING) -> tuple[int | None, ...]:
        """Read the nodes within, in one request; None where there is none, or where its value is not good now."""
        self._check(space)
        wanted = [each for each in self._places if address <= each < address + count]
        answers = await self._ask(lambda client: client.uaclient.read_attributes(self._ids_of(wanted), _VALUE))
        words: list[int | None] = [None] * count
        for each, answer in zip(wanted, answers, strict=True):
            place = self._places[each]
            if each + place.words > address + count:
                raise ValueError(f"{place.node} reaches beyond {address + count - 1}")
            words[each - address : each - address + place.words] = self._words(each, answer)
        return tuple(words)

    async def write(
        self, address: int, words: Sequence[int], space: Space = Space.HOLDING, function: int | None = None
    ) -> None:
        """Write one node, once; one that was not seen to have its type is read before."""
        self._check(space)
        place = self._places.get(address)
        if place is None or len(words) != place.words or function is not None:
            raise ValueError(f"no node lies in {len(words)} cells from {address} on")
        value = place.decode(tuple(words))
        if address not in self._typed:
            await self.read(address, place.words)
        data = ua.DataValue(ua.Variant(value, ua.VariantType[VARIANTS[place.kind]]))
        try:
            (status,) = await self._ask(lambda client: client.uaclient.write_attributes([self._ids[address]], [data]))
        except PlcDeclined as error:
            raise _refusal(place, error.reason) from None
        if not status.is_good():
            raise _refusal(place, status.name)

    def _new_client(self) -> Client:
        # It logs every failure with its stack; all of them are raised here, and the lane reports them.
        logging.getLogger("asyncua").setLevel(logging.CRITICAL)
        client = Client(self._endpoint, timeout=self._timeout_s)
        client.name = "Tidegate"
        if self._login is not None:
            client.set_user(self._login[0])
            client.set_password(self._login[1].get_secret_value())
        client.connection_lost_callback = self._on_lost
        return client

    async def _subscribe(self, client: Client) -> None:
        """Ask to be told of changes; a server that does not do that is polled."""
        try:
            async with asyncio.timeout(2 * self._timeout_s):
                subscription = await client.create_subscription(1_000 * self._publish_s, self)
                nodes = [client.get_node(each) for each in self._ids.values()]
                found = await subscription.subscribe_data_change(nodes, queuesize=1)
        except (*_FAILURES, UaError):
            return
        # All or nothing: a node that is not watched must be polled, and then so may the rest be.
        self.watching = all(isinstance(each, int) for each in found)

    def datachange_notification(self, node: Node, _value: object, _data: object) -> None:
        """The library calls this for each value that has changed; what it is now is read, never taken from here."""
        address = self._addresses.get(node.nodeid)
        if address is not None:
            self._on_change(address)

    async def _on_lost(self, _error: Exception) -> None:
        self._usable = self.watching = False
        for address in self._places:
            self._on_change(address)

    def _ids_of(self, addresses: Sequence[int]) -> list[ua.NodeId]:
        return [self._ids[each] for each in addresses]

    async def _ask(self, send: Callable[[Client], Any]) -> Any:  # noqa: ANN401 # what the service answers
        client = self._client
        if client is None or not self._usable:
            raise PlcUnreachable("is not connected")
        # A task of its own, so that cancelling the caller leaves the request whole.
        self._asking = asyncio.ensure_future(self._answer(client, send))
        self._asking.add_done_callback(_heard)
        return await asyncio.shield(self._asking)

    async def _answer(self, client: Client, send: Callable[[Client], Any]) -> Any:  # noqa: ANN401 # same
        try:
            async with asyncio.timeout(self._timeout_s):
                return await send(client)
        except UaStatusCodeError as error:
            raise PlcDeclined(type(error).__name__) from None
        except (*_FAILURES, UaError) as error:
            self._usable = self.watching = False
            raise PlcSilent(f"{self._endpoint} gave no answer: {_text(error)}") from None

    def _words(self, address: int, answer: ua.DataValue) -> tuple[int | None, ...]:
        place, status, found = self._places[address], answer.StatusCode, answer.Value
        if status is not None and status.name in _WRONG_NODE:
            raise PlcDeclined(f"{place.node}: {status.name}")
        if found is None or found.Value is None or (status is not None and not status.is_good()):
            return (None,) * place.words
        kind = found.VariantType.name
        if kind != VARIANTS[place.kind] or found.is_array:
            what = f"an array of {kind}" if found.is_array else kind
            raise PlcDeclined(f"{place.node} is {what}; the site's file says {place.kind}")
        self._typed.add(address)
        return place.encode(found.Value)

    def _check(self, space: Space) -> None:
        if space is not Space.HOLDING:
            raise ValueError("an OPC UA server has no tables")


def _refusal(place: Place, status: str) -> PlcError:
    detail = f"{place.node}: {status}"
    return PlcDeclined(detail) if status in _RULES_OUT_EFFECT else PlcUndecided(detail)


def _heard(asking: asyncio.Task[Any]) -> None:
    """Nobody may be left to hear of its failure, and then asyncio would complain."""
    if not asking.cancelled():
        asking.exception()


def _text(error: BaseException) -> str:
    return str(error) or type(error).__name__
