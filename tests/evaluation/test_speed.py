from collections.abc import Sequence
from types import SimpleNamespace

import pytest

from understudy.evaluation import speed
from understudy.evaluation.speed import measure_speed
from understudy.example import Prediction


class Clockwork:
    """A predictor that takes so many seconds for each call and text, by a clock of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: Sequence[float], per_text: float = 0.0) -> None:
        self.now = 0.0
        self.calls: list[list[str]] = []
        self._seconds, self._per_text = seconds, per_text
        monkeypatch.setattr(speed, "time", SimpleNamespace(perf_counter=lambda: self.now))

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        self.now += self._seconds[len(self.calls) % len(self._seconds)] + self._per_text * len(texts)
        self.calls.append(list(texts))
        return [Prediction("a")] * len(texts)


def test_median_and_tail_are_those_of_single_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = Clockwork(monkeypatch, [0.001] * 9 + [0.020])
    found = measure_speed(predictor, ["a", "b", "c"])
    assert found.p50 == pytest.approx(1.0)
    assert found.p95 == pytest.approx(20.0)


def test_throughput_is_that_of_all_texts_together(monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = Clockwork(monkeypatch, [0.1], per_text=0.001)
    assert measure_speed(predictor, ["a"] * 400).throughput == pytest.approx(800.0)


def test_the_first_calls_do_not_count_and_every_text_has_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = Clockwork(monkeypatch, [9.0] * 5 + [0.001] * 10_000)
    texts = [str(number) for number in range(30)]
    assert measure_speed(predictor, texts).p95 == pytest.approx(1.0)
    single = [call[0] for call in predictor.calls if len(call) == 1]
    assert len(single) == 5 + 3 * 200
    assert set(single) == set(texts)


def test_a_slow_student_does_not_hold_up_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = Clockwork(monkeypatch, [2.0])
    found = measure_speed(predictor, ["a", "b"])
    assert (found.p50, found.p95) == (2000.0, 2000.0)
    assert found.throughput == pytest.approx(1.0)
    assert len(predictor.calls) <= 2 + 3 + 1


@pytest.mark.parametrize("busy", [0, 200, 400])
def test_what_a_busy_machine_slows_down_for_a_while_does_not_count(monkeypatch: pytest.MonkeyPatch, busy: int) -> None:
    seconds = [0.001] * (5 + 600)
    seconds[5 + busy : 5 + busy + 200] = [0.004] * 200
    found = measure_speed(Clockwork(monkeypatch, [*seconds, 1.0]), ["a"] * 5)
    assert found.p50 == pytest.approx(1.0)
    assert found.p95 == pytest.approx(1.0)


def test_median_and_tail_are_of_the_same_round(monkeypatch: pytest.MonkeyPatch) -> None:
    steady, uneven = [0.002] * 200, [0.001] * 150 + [0.009] * 50
    found = measure_speed(Clockwork(monkeypatch, [0.001] * 5 + steady + uneven + steady + [1.0]), ["a"] * 5)
    assert found.p50 == pytest.approx(1.0)
    assert found.p95 == pytest.approx(9.0)
