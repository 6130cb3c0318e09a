"""Signals: wait for a good place, or leave at once."""

import signal

import pytest

from genoformer.training.signals import StopRequest


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signal_outside_training_ends_the_process_at_once(number, code):
    with pytest.raises(SystemExit) as caught:
        StopRequest().receive(number, None)
    assert caught.value.code == code


def test_signal_in_training_waits_until_somebody_looks():
    stop = StopRequest()
    stop.can_wait = True
    stop.receive(signal.SIGTERM, None)
    assert stop.is_made
    stop.receive(signal.SIGTERM, None)
    with pytest.raises(SystemExit) as caught:
        stop.leave()
    assert caught.value.code == 143


def test_second_interrupt_does_not_wait():
    stop = StopRequest()
    stop.can_wait = True
    stop.receive(signal.SIGINT, None)
    with pytest.raises(SystemExit) as caught:
        stop.receive(signal.SIGINT, None)
    assert caught.value.code == 130
