"""Which address is of which kind, and what is refused; sending is tested on real servers in test_up.py."""

import pytest

from flows.prefect_server.notification_events import Occasion
from flows.prefect_server.notifications import plan
from flows.project.errors import BadNotice

HIDDEN = "s3cr3t"
FAILED = (Occasion.FAILED,)


@pytest.mark.parametrize(
    ("address", "to", "block"),
    [
        (f"https://hooks.slack.com/services/T00/B00/{HIDDEN}", "Slack hooks.slack.com", "SlackWebhook"),
        (
            f"https://x.logic.azure.com:443/workflows/643/triggers/manual/paths/invoke?api-version=2016-06-01&sig={HIDDEN}",
            "Teams x.logic.azure.com",
            "MicrosoftTeamsWebhook",
        ),
        (f"http://127.0.0.1:9/{HIDDEN}", "web hook 127.0.0.1", "CustomWebhookNotificationBlock"),
        (f"mailtos://me:{HIDDEN}@example.org?to=you@example.org", "mailto example.org", "SlackWebhook"),
    ],
)
def test_the_kind_is_told_by_the_address_and_no_secret_is_shown(address: str, to: str, block: str) -> None:
    notice, made = plan("team", address, (*FAILED, *FAILED))
    assert (notice.to, type(made).__name__, notice.on) == (to, block, FAILED)
    assert HIDDEN not in f"{notice} {made!r} {made}"


@pytest.mark.parametrize("address", ["", "team", "nothing://x", "https://", "ftp://example.org"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(BadNotice, match="no address for notifications"):
        plan("team", address, FAILED)


@pytest.mark.parametrize("name", ["", "Team", "the team", "-team", "team_1", "x" * 0])
def test_a_name_that_prefect_would_not_take_is_refused(name: str) -> None:
    with pytest.raises(BadNotice, match="cannot be a notification's name"):
        plan(name, "https://example.org", FAILED)


def test_a_torn_address_of_teams_is_refused() -> None:
    with pytest.raises(BadNotice, match="copy it again"):
        plan("team", "https://x.logic.azure.com:443/workflows/643", FAILED)
