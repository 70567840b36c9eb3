"""Notifications: the states of flow runs to report and the addresses, as automations and blocks of Prefect."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from prefect.automations import AutomationCore, SendNotification
from prefect.blocks.abstract import NotificationBlock
from prefect.blocks.notifications import CustomWebhookNotificationBlock, MicrosoftTeamsWebhook, SlackWebhook
from prefect.client.orchestration import SyncPrefectClient
from prefect.events.schemas.automations import Automation

from flows.prefect_server.automations import find, put, when
from flows.prefect_server.notification_events import Occasion
from flows.project.errors import BadNotice

PREFIX = "thaw notify: "
_BLOCK = "thaw-notify-"
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


# A message says the state of its event: by the time that Prefect writes it, the run may have gone on to another state.
_STATE = "{% set state = event.payload.validated_state %}"
_SUBJECT = _STATE + "thaw: {{ flow.name }} {{ state.name|lower }}"
_BODY = (
    _STATE
    + """\
{{ flow.name }}, run {{ flow_run.name }}: {{ state.name }}
{{ state.message or '' }}

{% if state.name == 'Late' -%}
What to do: no worker has taken it. See that `thaw up` (or `prefect worker start --pool thaw`) is running.
{%- elif state.name == 'Crashed' -%}
What to do: it was stopped or killed. A run of `transfer` continues by itself as soon as a worker is up, three times at most; start other runs again. \
Too little memory is the usual reason.
{%- elif state.name != 'Completed' -%}
What to do: correct the error in the message (`thaw check` checks parameters and data, the project's .thaw/logs has all output); then start it \
again, here or by `thaw run`. Finished stages are kept.
{%- endif %}
{{ flow_run|ui_url }}
"""
)


@dataclass(frozen=True)
class Notice:
    """A notification: its name, the events that it reports, and its address. `to` holds no secret, only the service and the host."""

    name: str
    on: tuple[Occasion, ...]
    to: str

    @property
    def title(self) -> str:
        """The name of the automation on the server."""
        return f"{PREFIX}{self.name}"

    def __str__(self) -> str:
        return f"{self.name}: {' and '.join(self.on)} runs to {self.to}"


def plan(name: str, address: str, on: tuple[Occasion, ...]) -> tuple[Notice, NotificationBlock]:
    """The notification and the block that `add` would put on the server; the block sends to the address.

    Args:
        name: small letters, digits, dashes.
        address: a web hook (`https://...`; the hosts of Slack and Teams are recognised, other hosts get JSON with `subject`
            and `body`), or any address of Apprise, such as `mailtos://USER:PASSWORD@HOST?to=WHOM`.
        on: the events to report.

    Raises:
        BadNotice: the name or the address is not valid.
    """
    if not _NAME.fullmatch(name):
        raise BadNotice(f"`{name}` cannot be a notification's name; use small letters, digits and dashes")
    parts = urlsplit(address)
    kind, block = _block(address, parts.scheme, parts.hostname or "")
    return Notice(name, tuple(dict.fromkeys(on)), f"{kind} {parts.hostname or ''}".strip()), block


def add(client: SyncPrefectClient, notice: Notice, block: NotificationBlock) -> bool:
    """Put the notification on the server, or update the notification of the same name; True if it is new."""
    former_blocks = [
        _block_id(automation) for automation in find(client, notice.title) if automation.name == notice.title
    ]
    saved = block.save(f"{_BLOCK}{notice.name}", overwrite=True)
    is_new = put(
        client,
        AutomationCore(
            name=notice.title,
            description=f"{', '.join(notice.on)}: {notice.to}",
            trigger=when(*(state for event in notice.on for state in event.states)),
            actions=[SendNotification(block_document_id=saved, subject=_SUBJECT, body=_BODY)],
        ),
    )
    for former in former_blocks:  # another sort of address has a block of another sort
        if former not in (None, saved):
            client.delete_block_document(former)
    return is_new


def notices(client: SyncPrefectClient) -> tuple[Notice, ...]:
    """The notifications on the server, by name."""
    return tuple(_notice(automation) for automation in find(client, PREFIX))


def remove(client: SyncPrefectClient, name: str) -> None:
    """Delete the notification and its address from the server.

    Raises:
        BadNotice: the server has no notification of that name.
    """
    automation = _find(client, name)
    client.delete_automation(automation.id)
    if (block := _block_id(automation)) is not None:
        client.delete_block_document(block)


def send_test(client: SyncPrefectClient, name: str) -> None:
    """Send a test message to the address of a notification.

    Raises:
        BadNotice: the server has no notification of that name, or its address cannot be reached.
    """
    from prefect.blocks.core import Block

    block_id = _block_id(_find(client, name))
    document = client.read_block_document(block_id) if block_id else None
    if document is None:
        raise BadNotice(f"the address of `{name}` was deleted; `thaw notify add {name} ADDRESS` sets it again")
    block = Block._from_block_document(document)  # as Prefect's own server does it
    assert isinstance(block, NotificationBlock)
    try:
        with block.raise_on_failure():
            block.notify(subject="thaw: a test", body="This is a test: notifications of thaw come here.")
    except Exception as error:  # whatever the library of that service raises
        raise BadNotice(f"`{name}` cannot be reached: {error or type(error).__name__}; check its address") from error


def find_notice(client: SyncPrefectClient, name: str) -> Notice:
    """The notification of that name.

    Raises:
        BadNotice: the server has no notification of that name.
    """
    return _notice(_find(client, name))


def _find(client: SyncPrefectClient, name: str) -> Automation:
    for automation in find(client, PREFIX):
        if automation.name == f"{PREFIX}{name}":
            return automation
    names = ", ".join(notice.name for notice in notices(client)) or "none"
    raise BadNotice(f"there is no notification `{name}`; the notifications are: {names}")


def _notice(automation: Automation) -> Notice:
    on, _, to = automation.description.partition(": ")
    occasions = tuple(Occasion(event) for event in on.split(", ") if event in set(Occasion))
    return Notice(automation.name.removeprefix(PREFIX), occasions, to)


def _block_id(automation: Automation) -> UUID | None:
    ids = (action.block_document_id for action in automation.actions if isinstance(action, SendNotification))
    return next(ids, None)


def _block(address: str, scheme: str, host: str) -> tuple[str, NotificationBlock]:
    """The service behind an address, and the block that sends to it."""
    if scheme in ("http", "https") and host:
        if host in ("hooks.slack.com", "hooks.slack-gov.com"):
            return "Slack", SlackWebhook(url=address)
        if host.endswith(".logic.azure.com"):
            return "Teams", _teams(address)
        # Prefect's pages do not show the address, because it is a secret.
        return "web hook", CustomWebhookNotificationBlock(
            name="thaw",
            url="{{url}}",
            json_data={"subject": "{{subject}}", "body": "{{body}}"},
            secrets={"url": address},
        )
    from apprise import Apprise

    if not Apprise().add(address):
        raise BadNotice(
            f"`{scheme or address}` is no address for notifications; use a web hook (https://...) or an address of Apprise "
            "such as mailtos://USER:PASSWORD@HOST?to=WHOM"
        )
    # Prefect has no block for all addresses of Apprise, but this block hands any address to Apprise.
    return scheme.removesuffix("s"), SlackWebhook(url=address)


def _teams(address: str) -> MicrosoftTeamsWebhook:
    try:
        return MicrosoftTeamsWebhook(url=address)
    except ValueError as error:
        raise BadNotice(
            "this is not the whole address of a Teams workflow; copy it again, up to its `sig=...`"
        ) from error
