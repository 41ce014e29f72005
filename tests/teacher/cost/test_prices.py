import re

import pytest

from understudy.teacher.cost import prices
from understudy.teacher.cost.prices import list_price
from understudy.teacher.cost.spending import Price

OPENAI = "https://api.openai.com/v1"
LISTED = [(provider["host"], model) for provider in prices._providers() for model in provider["models"]]


def test_a_listed_model_has_its_price_and_says_where_that_stands() -> None:
    found = list_price("gpt-4o-mini", OPENAI)
    assert found is not None
    assert found.price == Price(input=0.15, output=0.60)
    assert re.fullmatch(r"OpenAI's price list, \w+ 20\d\d", found.source)


@pytest.mark.parametrize(
    ("model", "like"),
    [("gpt-4.1-mini-2025-04-14", "gpt-4.1-mini"), ("gpt-4o-2024-08-06", "gpt-4o"), ("o3-2025-04-16", "o3")],
)
def test_a_dated_model_costs_what_it_does_without_its_date(model: str, like: str) -> None:
    assert list_price(model, OPENAI) == list_price(like, OPENAI) is not None


@pytest.mark.parametrize("model", ["gpt-4o-mini-audio", "gpt-4o-audio-preview", "gpt-9", "gpt", "", "mini", "GPT-4o"])
def test_a_model_that_is_not_listed_has_no_price_rather_than_that_of_a_similar_one(model: str) -> None:
    assert list_price(model, OPENAI) is None


@pytest.mark.parametrize(
    "base_url",
    [
        None,
        "",
        "http://localhost:8000/v1",
        "https://api.openai.com.example.org/v1",
        "https://example.org/api.openai.com",
    ],
)
def test_the_same_name_elsewhere_has_no_list_price(base_url: str | None) -> None:
    assert list_price("gpt-4o-mini", base_url) is None


@pytest.mark.parametrize("base_url", ["https://API.OpenAI.com/v1/", "https://user@api.openai.com:443/v1"])
def test_an_address_may_be_written_in_any_way(base_url: str) -> None:
    assert list_price("gpt-4o-mini", base_url) is not None


@pytest.mark.parametrize(("host", "model"), LISTED)
def test_every_listed_price_is_a_price(host: str, model: str) -> None:
    found = list_price(model, f"https://{host}/v1")
    assert found is not None
    assert 0 < found.price.input < found.price.output < 1000
