"""Ports: the usual ones where they are free, others where they are taken."""

import socket

import pytest

from stack import places
from stack.places import HOST, Ports


def test_the_usual_port_is_taken_where_it_is_free(monkeypatch: pytest.MonkeyPatch):
    """A person finds the API where it usually is."""
    usual = places.free_port()
    monkeypatch.setitem(places.USUAL_PORTS, "client-api", usual)
    assert Ports(usual=True)["client-api"] == usual


def test_another_port_is_picked_where_the_usual_one_is_taken(monkeypatch: pytest.MonkeyPatch):
    """A port that somebody listens on is left to them."""
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        taken = other.getsockname()[1]
        monkeypatch.setitem(places.USUAL_PORTS, "client-api", taken)
        assert not places.is_free(taken)
        assert Ports(usual=True)["client-api"] != taken


def test_a_port_stays_and_no_two_parts_share_one():
    """Asking again gives the same port; other parts get others."""
    ports = Ports(usual=False)
    picked = {name: ports[name] for name in ("a", "b", "c", "d")}
    assert len(set(picked.values())) == len(picked)
    assert {name: ports[name] for name in picked} == picked
