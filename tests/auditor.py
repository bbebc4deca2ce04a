"""A technician who also writes down every command that anybody publishes: the oracle of "nothing was sent" (I5)."""

from __future__ import annotations

from gateway.protocol.codec import decode
from gateway.protocol.description import Description
from gateway.protocol.history import Committed
from gateway.protocol.messages import Ack, Command
from gateway.protocol.topics import AckTopic, CommandTopic, CommittedTopic, DescriptionTopic, parse
from tests.agents import Technician
from tests.conditions import eventually
from tests.mqtt_client import MqttClient, Received


class Auditor(Technician):
    """Sees what a :class:`Technician` sees, and all commands and descriptions of the site."""

    def __init__(self, client: MqttClient, site: str, principal: str) -> None:
        client.subscribe(
            CommandTopic.filter(site=site), DescriptionTopic.filter(site=site), CommittedTopic.filter(site=site)
        )
        super().__init__(client, site, principal)
        self._audited = client

    @property
    def published(self) -> list[Received]:
        """All commands so far as they were published, whoever asked."""
        return [each for each in self._audited.received() if isinstance(parse(each.topic), CommandTopic)]

    @property
    def commands(self) -> list[Command]:
        """The same, understood."""
        return [decode(Command, each.topic, each.payload) for each in self.published]

    @property
    def descriptions(self) -> dict[str, Description]:
        """The last description of each device."""
        topics = [(parse(each.topic), each) for each in self._audited.received()]
        return {
            topic.device: decode(Description, each.topic, each.payload)
            for topic, each in topics
            if isinstance(topic, DescriptionTopic) and each.payload
        }

    @property
    def committed(self) -> set[str]:
        """The ids of all commands that the centre has told the agent to forget."""
        named = [each for each in self._audited.received() if isinstance(parse(each.topic), CommittedTopic)]
        return {id for each in named for id in decode(Committed, each.topic, each.payload).commands}

    def acks_for(self, requester: str, id: str) -> list[Ack]:
        """All acks so far of anybody's command."""
        topic = str(AckTopic(self.site, requester, id))
        return [decode(Ack, topic, each.payload) for each in self._audited.received() if each.topic == topic]

    def end_for(self, requester: str, id: str) -> Ack:
        """The first final ack of anybody's command."""
        return eventually(
            lambda: next((each for each in self.acks_for(requester, id) if each.final), None), what=f"the end of {id}"
        )
