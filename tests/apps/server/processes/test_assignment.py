"""Which worker a request belongs to, from its head alone."""

import pytest
from bokeh.util.token import check_session_id_signature, generate_jwt_token
from hypothesis import given
from hypothesis import strategies as st

from twinlab.apps.server.processes.assignment import Assignment, assignment_of, new_session_id, worker_of

SECRET = b"of this test"
NOBODY = Assignment(None, opens_page=False, is_websocket=False)


def head(line, **headers):
    return "\r\n".join(
        [line, "Host: localhost", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    ).encode("latin-1")


@pytest.mark.parametrize("workers", [2, 3, 8])
def test_a_new_session_belongs_to_its_worker_and_is_signed(workers):
    for worker in range(workers):
        session = new_session_id(SECRET, worker=worker, workers=workers)
        assert worker_of(session, workers) == worker
        assert check_session_id_signature(session, SECRET, signed=True)
        assert not check_session_id_signature(session, b"another", signed=True)


@pytest.mark.parametrize("worker", [0, 1, 2])
def test_a_websocket_and_all_other_requests_of_a_session_go_to_its_worker(worker):
    session = new_session_id(SECRET, worker=worker, workers=3)
    token = generate_jwt_token(session, secret_key=SECRET, signed=True, extra_payload={"headers": {"A": "b" * 3000}})
    socket = head("GET /ws HTTP/1.1", Upgrade="websocket", Sec_WebSocket_Protocol=f"bokeh, {token}")
    assert assignment_of(socket, 3) == Assignment(worker, opens_page=True, is_websocket=True)
    for request in (
        head(f"GET /autoload.js?bokeh-session-id={session} HTTP/1.1"),
        head(f"GET /metadata?bokeh-token={token} HTTP/1.1"),
        head("GET /x HTTP/1.1", bokeh_session_id=session),
    ):
        assert assignment_of(request, 3) == Assignment(worker, opens_page=False, is_websocket=False)


def test_what_opens_a_page_is_told_from_files():
    assert assignment_of(head("GET /?page=now HTTP/1.1"), 2) == Assignment(None, opens_page=True, is_websocket=False)
    assert assignment_of(head("GET /static/js/bokeh.min.js HTTP/1.1"), 2) == NOBODY
    assert assignment_of(head("POST / HTTP/1.1"), 2) == NOBODY


@given(st.binary(max_size=300), st.integers(min_value=1, max_value=9))
def test_any_bytes_go_to_some_worker(head, workers):
    found = assignment_of(head, workers)
    assert found.worker is None or 0 <= found.worker < workers


@given(st.text(max_size=60).map(lambda text: text.replace("\r", "").replace("\n", "")))
def test_any_token_goes_to_some_worker(token):
    request = f"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: bokeh, {token}"
    found = assignment_of(request.encode("utf-8"), 4)
    assert found.worker is None or 0 <= found.worker < 4
