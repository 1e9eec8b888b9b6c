"""Owns the list of what request handlers may use; filled by `app`, read as `request.app.state.services`."""

from __future__ import annotations

from dataclasses import dataclass

from chatcore.community.channels import Channels
from chatcore.people.service import People
from chatcore.session.sessions import Sessions
from web.door import Door
from web.health import Health
from web.metrics import Metrics
from web.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that is running in this process."""

    settings: Settings
    people: People
    channels: Channels
    chat: Door
    sessions: Sessions
    health: Health
    metrics: Metrics
