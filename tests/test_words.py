import pytest

from understudy import registry, words


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (words.score(0.9016), "0.902"),
        (words.signed(-0.08), "−0.080"),
        (words.signed(-0.00001), "0.000"),
        (words.interval(0.85, 0.95), "[0.850, 0.950]"),
        (words.interval(None, 0.95), ""),
        (words.p_value(0.0004), "< 0.001"),
        (words.count(1080), "1,080"),
        (words.compact(22_717_836), "22.7 M"),
        (words.compact(9_999), "9,999"),
        (words.milliseconds(0.4231), "0.42 ms"),
        (words.milliseconds(12_345), "12.3 s"),
        (words.megabytes(1_240_000), "1.24 MB"),
        (words.megabytes(512), "512 B"),
        (words.duration(250), "4 min 10 s"),
        (words.duration(7_500), "2 h 5 min"),
        (words.dollars(0.0123), "$0.0123"),
        (words.dollars(1234.5), "$1,234.50"),
        (words.dollars(0.99999), "$1.00"),
        (words.dollars(0), "$0.00"),
        (words.dollars(0.00005), "$0.00005"),
        (words.dollars(0.000001234), "$0.0000012"),
        (words.dollars(None), "not recorded"),
        (words.day("2026-11-21T17:00:00+02:00"), "21 November 2026, 15:00 UTC"),
        (words.day("yesterday"), "yesterday"),
        (words.times(134.2), "130"),
        (words.arm("encoder/simple_mix"), "encoder (simple mix)"),
        (words.quoted("it's"), '"it\'s"'),
        (words.quoted(2), "2"),
        (words.quoted("x" * 1_000_000), repr("x" * 100)),
        (words.metric("f1").name, "entity F1"),
        (words.metric("rouge_lsum_recall").name, "ROUGE-Lsum recall"),
        (words.metric("chrf").name, "chrF"),
        (words.metric("words").said(38.123), "38.1"),
        (words.metric("words").signed(-2.04), "−2.0"),
        (words.metric("length_ratio").interval(0.9, 1.106), "[0.90, 1.11]"),
        (words.metric("f1").said(None), "–"),
        (words.metric("of_ones_own").name, "of ones own"),
    ],
)
def test_numbers_are_written_for_people(said: str, expected: str) -> None:
    assert said == expected


@pytest.mark.parametrize("name", registry.names("mixture"))
def test_every_mixture_has_a_meaning(name: str) -> None:
    assert words.mixture_meaning(name)
