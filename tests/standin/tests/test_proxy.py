"""The proxy: its effect on bytes, and on a client of a real server."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.standin.client import Client, SqlError
from tests.standin.cluster import IMPORT_PASSWORD, IMPORT_USER, import_call
from tests.standin.proxy import Fault, Proxy
from tests.standin.server import free_port
from tests.standin.tests.echo import GREETING, Echo

LOST = (2013, 2026)  # without TLS, with TLS


@pytest.fixture
def echo() -> Iterator[Echo]:
    echo = Echo()
    yield echo
    echo.close()


@contextmanager
def greeted(proxy: Proxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), 5) as end:
        assert end.recv(64) == GREETING
        yield end


def ask(end: socket.socket, text: bytes) -> bytes:
    end.sendall(text)
    return end.recv(64)


def importer(proxy: Proxy, aurora) -> Client:
    return Client.over_tcp(proxy.port, IMPORT_USER, IMPORT_PASSWORD, ca=aurora.ca)


def lose(client: Client, text: str) -> None:
    with pytest.raises(SqlError) as caught:
        client.sql(text)
    assert caught.value.code in LOST


@pytest.mark.parametrize("delays", [(0.15, 0.0), (0.0, 0.15)])
def test_each_byte_is_delayed_and_delays_do_not_add_up(echo, delays):
    with Proxy(echo.port, to_server=delays[0], to_client=delays[1]) as proxy, \
            greeted(proxy) as end:
        sent = time.monotonic()
        for _ in range(8):
            end.sendall(b"x")
            time.sleep(0.005)
        assert len(end.recv(1)) == 1
        assert time.monotonic() - sent >= 0.15
        rest = 7
        while rest:
            rest -= len(end.recv(rest))
        assert time.monotonic() - sent < 0.15 * 2


@pytest.mark.parametrize("number", [0, 1, 3])
def test_a_flight_with_its_answer_is_a_round_trip(echo, number):
    with Proxy(echo.port) as proxy:
        with greeted(proxy) as end:
            for _ in range(number):
                assert ask(end, b"ping") == b"ping"
        connection = proxy.connections[0]
        assert connection.closed.wait(60)
        assert (connection.flights, connection.round_trips) == (number, number)


def test_data_sent_without_waiting_is_one_flight(echo):
    with Proxy(echo.port, to_server=0.05) as proxy, greeted(proxy) as end:
        for _ in range(3):
            end.sendall(b"x")
            time.sleep(0.01)
        assert end.recv(64)
        assert (proxy.connections[0].flights, proxy.connections[0].round_trips) == (1, 1)


def test_a_flight_without_an_answer_is_no_round_trip(echo):
    with Proxy(echo.port, to_client=0.2) as proxy:
        with greeted(proxy) as end:
            end.sendall(b"quit")
        assert proxy.connections[0].closed.wait(60)
        time.sleep(0.25)
        assert (proxy.connections[0].flights, proxy.connections[0].round_trips) == (1, 0)


def test_each_statement_of_a_real_client_is_a_round_trip(aurora):
    counted = []
    with Proxy(aurora.port) as proxy:
        for text in ("DO 0", "DO 0; DO 0", "DO 0; DO 0; DO 0"):
            importer(proxy, aurora).sql(text)
            assert proxy.connections[-1].closed.wait(60)
            counted.append(proxy.connections[-1].round_trips)
    assert [number - counted[0] for number in counted] == [0, 1, 2]


def test_silence_after_the_greeting_keeps_the_connection_open(echo):
    with Proxy(echo.port) as proxy:
        proxy.fault = Fault(1, "request", "silence")
        with greeted(proxy) as end:
            end.settimeout(0.2)
            with pytest.raises(TimeoutError):
                ask(end, b"one")
            with pytest.raises(TimeoutError):
                ask(end, b"two")
        assert proxy.connections[0].closed.wait(60)
        assert echo.received == b""


def test_silence_instead_of_the_greeting(echo):
    with Proxy(echo.port) as proxy:
        proxy.fault = Fault(0, "answer", "silence")
        with socket.create_connection(("127.0.0.1", proxy.port), 0.2) as end, \
                pytest.raises(TimeoutError):
            end.recv(64)


@pytest.mark.parametrize("at, received", [("request", b"one"), ("answer", b"onetwo")])
def test_silence_after_flights(echo, at, received):
    with Proxy(echo.port) as proxy:
        proxy.fault = Fault(2, at, "silence")
        with greeted(proxy) as end:
            assert ask(end, b"one") == b"one"
            end.settimeout(0.2)
            with pytest.raises(TimeoutError):
                ask(end, b"two")
        assert echo.received == received


@pytest.mark.parametrize("at, received", [("request", b"one"), ("answer", b"onetwo")])
def test_reset_and_close_are_distinguishable(echo, at, received):
    with Proxy(echo.port) as proxy:
        proxy.next_faults.extend([Fault(2, at, "reset"), Fault(2, at, "close"), None])
        with greeted(proxy) as end:
            assert ask(end, b"one") == b"one"
            with pytest.raises(ConnectionResetError):
                ask(end, b"two")
        assert echo.received == received
        with greeted(proxy) as end:
            assert ask(end, b"one") == b"one"
            assert ask(end, b"two") == b""
        assert echo.received == received + received
        with greeted(proxy) as end:
            assert ask(end, b"one") == b"one"
            assert ask(end, b"two") == b"two"


@pytest.mark.parametrize("at, done", [("request", 0), ("answer", 1)])
def test_an_import_is_interrupted_before_or_after_it_is_done(aurora, material, at, done):
    before = len(aurora.imports())
    with Proxy(aurora.port) as proxy:
        importer(proxy, aurora).sql("DO 0")
        last = proxy.connections[0].round_trips  # the CALL is at the same flight as the DO
        proxy.fault = Fault(last, at, "reset")
        lose(importer(proxy, aurora), import_call(material))
    assert len(aurora.imports()) == before + done


def test_a_running_call_continues_when_the_connection_breaks(aurora, material):
    aurora.set_option("slow_seconds", "0.4")
    before = len(aurora.imports())
    with Proxy(aurora.port) as proxy, ThreadPoolExecutor() as pool:
        call = pool.submit(lose, importer(proxy, aurora), import_call(material))
        at_work = "SELECT 1 FROM information_schema.PROCESSLIST WHERE STATE = 'User sleep'"
        while not aurora.sql(at_work):
            assert call.running()
        proxy.interrupt("reset")
        call.result(5)
        assert len(aurora.imports()) == before
    end = time.monotonic() + 5
    while len(aurora.imports()) == before:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_refuse_affects_new_connections_only(echo):
    with Proxy(echo.port) as proxy:
        with greeted(proxy) as end:
            proxy.refuse()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", proxy.port), 1)
            assert ask(end, b"still") == b"still"
        proxy.listen()
        with greeted(proxy) as end:
            assert ask(end, b"again") == b"again"


def test_a_server_that_is_down_resets_the_connection(echo):
    with Proxy(free_port()) as proxy, pytest.raises(ConnectionResetError), \
            socket.create_connection(("127.0.0.1", proxy.port), 5) as end:
        end.recv(64)


def test_a_closed_proxy_leaves_no_thread_and_no_descriptor(echo):
    def held() -> tuple[int, int]:
        return threading.active_count(), len(os.listdir("/proc/self/fd"))

    before = held()
    with pytest.raises(ZeroDivisionError), Proxy(echo.port) as proxy:
        open_ends = [socket.create_connection(("127.0.0.1", proxy.port), 5) for _ in range(3)]
        open_ends[0].recv(64)
        assert held() > before
        raise ZeroDivisionError
    for end in open_ends:
        end.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", proxy.port), 1)
    limit = time.monotonic() + 5
    while held() != before:  # the echo server runs in this process and may still close a connection
        assert time.monotonic() < limit
        time.sleep(0.01)
