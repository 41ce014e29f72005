from hypothesis import given
from hypothesis import strategies as st

from tests.data.clean.support import row
from understudy.data.clean.spool import Spool


@given(st.lists(st.text(st.characters())))
def test_what_is_put_aside_comes_back_in_order_and_by_its_place(texts: list[str]) -> None:
    examples = [row(str(number), text, target=text) for number, text in enumerate(texts)]
    with Spool(examples[:2]) as spool:
        places = [spool.append(example) for example in examples[2:]]
        assert list(spool) == examples
        assert [spool.at(place) for place in reversed(places)] == examples[2:][::-1]


def test_it_can_be_appended_to_and_looked_into_while_it_is_read() -> None:
    examples = [row(str(number), f"text {number}\nsecond line \ud800") for number in range(4)]
    with Spool(examples[:3]) as spool:
        reading = iter(spool)
        assert next(reading) == examples[0]
        place = spool.append(examples[3])
        assert spool.at(place) == examples[3]
        assert list(reading) == examples[1:]
