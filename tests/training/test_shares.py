import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy import registry
from understudy.training import shares
from understudy.training.shares import Share

DECAYS = [shares.linear, shares.cosine, shares.sigmoid, shares.power]


@pytest.mark.parametrize("name", registry.names("mixture"))
@given(u=st.floats(0, 1), m=st.floats(0, 1))
def test_a_share_is_a_share(name: str, u: float, m: float) -> None:
    assert 0 <= registry.find("mixture", name)(u, m) <= 1


@pytest.mark.parametrize("decay", DECAYS)
@given(u=st.floats(0, 1), later=st.floats(0, 1), m=st.floats(0, 1))
def test_a_decay_goes_from_distilled_to_gold_and_never_back(decay: Share, u: float, later: float, m: float) -> None:
    assert decay(min(u, later), m) >= decay(max(u, later), m)
    assert decay(0, m) > 0.99
    assert decay(1, m) < 0.01


@pytest.mark.parametrize(
    ("decay", "at_a_quarter", "at_half"),
    [
        (shares.linear, 0.75, 0.5),
        (shares.cosine, 0.853553, 0.5),
        (shares.sigmoid, 0.924142, 0.5),
        (shares.power, 0.5625, 0.25),
    ],
)
def test_the_decays_have_the_shapes_of_their_names(decay: Share, at_a_quarter: float, at_half: float) -> None:
    assert [decay(0.25, 0.9), decay(0.5, 0.9)] == pytest.approx([at_a_quarter, at_half])


@given(u=st.floats(0, 1, exclude_max=True), m=st.floats(0.01, 0.99))
def test_those_in_stages_draw_as_much_of_each_source_as_there_is(u: float, m: float) -> None:
    course = [i / 1000 for i in range(1000)]
    for share in (shares.union, shares.simple_mix, shares.reversed_mix, shares.needle):
        assert sum(share(point, m) for point in course) / 1000 == pytest.approx(m, abs=0.003)
