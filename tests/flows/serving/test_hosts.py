"""A server on loopback answers to its own names alone: no page elsewhere reads its answers by pointing a name here."""

from http.client import HTTPConnection
from urllib.parse import urlsplit

import httpx
import pytest
from serving_app import Served, desk_with, served

from flows.serving.hosts import Hosts, hosts_of

LOOPBACK = hosts_of("127.0.0.1", [])


@pytest.mark.parametrize("header", ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "127.8.8.8", "[::1]:8080"])
def test_loopback_is_known_everywhere(header: str) -> None:
    assert LOOPBACK.knows(header) and hosts_of("0.0.0.0", ["thaw.example.org"]).knows(header)  # noqa: S104


@pytest.mark.parametrize(
    "header", ["", "example.org", "localhost.example.org", "127.0.0.1.example.org:80", "10.0.0.1", "[", "a@b:c", "[::1"]
)
def test_other_names_are_not_on_loopback(header: str) -> None:
    assert not LOOPBACK.knows(header)


def test_names_that_are_allowed_and_any_name_where_others_reach_it() -> None:
    named = hosts_of("0.0.0.0", ["Thaw.example.org:8443"])  # noqa: S104
    assert named.knows("thaw.example.org:443") and not named.knows("other.example.org")
    assert hosts_of("0.0.0.0", []) == Hosts() and Hosts().knows("other.example.org")  # noqa: S104


@pytest.mark.parametrize("name", ["", "http://x", "[", ":80"])
def test_what_is_no_name_cannot_be_allowed(name: str) -> None:
    with pytest.raises(ValueError, match="no name of a host"):
        hosts_of("127.0.0.1", [name])


def ask(server: Served, method: str, path: str, host: str | None) -> tuple[int, str]:
    connection = HTTPConnection(urlsplit(server.address).netloc, timeout=20)
    connection.putrequest(method, path, skip_host=True)
    if host is not None:
        connection.putheader("Host", host)
    connection.endheaders()
    answer = connection.getresponse()
    found = answer.status, answer.read().decode()
    connection.close()
    return found


PATHS = ("/", "/predict", "/health", "/model", "/metrics", "/docs", "/openapi.json", "/gallery/0", "/nothing")


def test_a_request_by_another_name_is_refused_on_every_path_and_counted() -> None:
    with served(desk_with(None), hosts=LOOPBACK) as server:
        for method, path in [*(("GET", path) for path in PATHS), ("POST", "/predict")]:
            status, said = ask(server, method, path, "rebound.example.org")
            assert (status, "--allow-host" in said) == (421, True), (path, said)
        assert ask(server, "GET", "/health", "localhost")[0] == 200
        metrics = httpx.get(f"{server.address}/metrics").text
        assert ask(server, "GET", "/health", None)[0] == 400, "HTTP wants a name"
    assert f'thaw_rejected_total{{reason="host"}} {len(PATHS) + 1}.0' in metrics
