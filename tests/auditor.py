"""A technician who also writes down every command that anybody publishes: the oracle of "nothing was sent" (I5)."""

from __future__ import annotations

from gateway.protocol.codec import decode
from gateway.protocol.description import Description
from gateway.protocol.messages import Command
from gateway.protocol.topics import CommandTopic, DescriptionTopic, parse
from tests.agents import Technician
from tests.mqtt_client import MqttClient, Received


class Auditor(Technician):
    """Sees what a :class:`Technician` sees, and all commands and descriptions of the site."""

    def __init__(self, client: MqttClient, site: str, principal: str) -> None:
        client.subscribe(CommandTopic.filter(site=site), DescriptionTopic.filter(site=site))
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
