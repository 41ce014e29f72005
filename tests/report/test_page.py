import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.report.pages import page_of
from understudy.errors import DataError
from understudy.report.page import write_report

Folder = Callable[..., Path]
HOSTILE = "</title><script>alert(1)</script>\"'><img src=http://evil.example/x onerror=alert(1)>{{ 7*7 }}"


def row(scores: dict[str, Any], student: str, mixture: str | None) -> dict[str, Any]:
    found: dict[str, Any] = next(r for r in scores["rows"] if (r["student"], r["mixture"]) == (student, mixture))
    return found


def against_teacher(low: float, difference: float, high: float) -> Callable[[dict[str, Any]], None]:
    def edit(scores: dict[str, Any]) -> None:
        found = {"a": "encoder/distilled", "b": "teacher", "metric": "macro_f1", "p_value": 0.5}
        scores["comparisons"] = [found | {"low": low, "difference": difference, "high": high}]

    return edit


def test_the_report_is_one_file_in_the_run_folder(run_folder: Folder) -> None:
    folder = run_folder()
    assert write_report(folder) == folder / "8-report.html"
    assert sorted(path.name for path in folder.iterdir()) == [
        "3-rejected.jsonl",
        "6-predictions.jsonl",
        "6-scores.json",
        "8-report.html",
    ]


def test_the_answer_comes_first(run_folder: Folder) -> None:
    answer = page_of(run_folder()).text("answer")
    assert "Not as an equal yet: the encoder is 0.080 macro-F1 below its teacher." in answer
    assert "it scores 0.896 macro-F1 against the teacher’s 0.976" in answer
    assert "91.3 MB" in answer
    assert "It is still below the teacher: −0.080 [−0.121, −0.041] macro-F1." in answer
    assert "has the highest macro-F1, and no faster student is as good" in answer
    assert "Twice the labels (1,916) would be expected" in answer


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (against_teacher(0.01, 0.03, 0.05), "Yes: the encoder does better than its teacher."),
        (against_teacher(-0.04, -0.01, 0.02), "Yes, as far as this test can tell"),
        (against_teacher(-0.2, -0.01, 0.18), "Not proven: the test is too small"),
        (against_teacher(-0.2, -0.01, 0.18), "a loss of up to 0.200 cannot be ruled out"),
        (against_teacher(-0.08, -0.05, -0.02), "Not as an equal yet: the encoder is 0.050"),
        (lambda scores: scores.update(comparisons=[]), "whether it may replace the teacher was not tested"),
    ],
)
def test_the_answer_follows_the_paired_comparison(run_folder: Folder, edit: Any, said: str) -> None:
    assert said in page_of(run_folder(edit)).text("answer")


def test_a_comparison_the_other_way_round_says_the_same(run_folder: Folder) -> None:
    def turned(scores: dict[str, Any]) -> None:
        scores["comparisons"] = [
            {
                "a": "teacher",
                "b": "encoder/distilled",
                "metric": "macro_f1",
                "difference": 0.05,
                "low": 0.02,
                "high": 0.08,
            }
        ]

    page = page_of(run_folder(turned))
    assert "the encoder is 0.050 macro-F1 below" in page.text("answer")
    assert "encoder (distilled) teacher worse −0.050 [−0.080, −0.020]" in page.text("comparisons")


def test_a_faster_and_smaller_student_is_said_to_be_so(run_folder: Folder) -> None:
    def known(scores: dict[str, Any]) -> None:
        row(scores, "teacher", None).update(latency_ms={"p50": 1200.0, "p95": 3000.0}, size_bytes=16_000_000_000)
        row(scores, "encoder", "distilled").update(latency_ms={"p50": 10.0, "p95": 12.0}, size_bytes=100_000_000)

    answer = page_of(run_folder(known)).text("answer")
    assert "it answers in 10.0 ms, 120 times faster than the teacher" in answer
    assert "takes 100 MB on disk, 160 times smaller" in answer


def test_every_row_is_in_the_table_with_its_numbers(run_folder: Folder) -> None:
    folder = run_folder()
    table = page_of(folder).text("rows")
    for found in json.loads((folder / "6-scores.json").read_text())["rows"]:
        for estimate in found["metrics"].values():
            assert f"{estimate['mean']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]" in table
    assert table.index("teacher the row to beat") < table.index("linear")
    assert "encoder the choice distilled" in table
    assert "1.24 MB 148 k parameters" in table


def test_the_best_of_the_students_is_marked_in_each_column(run_folder: Folder) -> None:
    def edit(scores: dict[str, Any]) -> None:
        row(scores, "gbdt", "union")["metrics"]["ece"]["mean"] = 0.001
        row(scores, "lstm", "union")["metrics"]["macro_f1"]["mean"] = 0.97

    source = page_of(run_folder(edit)).source
    assert re.findall(r'class="right best">(0\.\d+)<', source)[:2] == ["0.001", "0.970"]


def test_significant_is_only_what_leaves_out_zero(run_folder: Folder) -> None:
    def edit(scores: dict[str, Any]) -> None:
        common = {"a": "encoder/distilled", "metric": "macro_f1", "p_value": 0.0002}
        scores["comparisons"] = [
            common | {"b": "teacher", "difference": -0.02, "low": -0.05, "high": 0.0},
            common | {"b": "encoder/gold", "difference": 0.1, "low": 0.05, "high": 0.15},
            common | {"b": "linear/gold", "metric": "ece", "difference": 0.1, "low": 0.05, "high": 0.15},
        ]

    found = page_of(run_folder(edit)).text("comparisons")
    assert "teacher no significant difference −0.020 [−0.050, 0.000] < 0.001 macro-F1" in found
    assert "encoder (gold) better +0.100 [0.050, 0.150] < 0.001 macro-F1" in found
    assert "linear (gold) worse +0.100 [0.050, 0.150] < 0.001 ECE" in found


def test_labels_confusions_and_the_other_rows_are_there(run_folder: Folder) -> None:
    page = page_of(run_folder())
    said = [attributes.get("title") for tag, attributes in page.tags if tag == "td"]
    assert said.count("politics answered as politics: 10 of 10") > 1
    assert "health taken for science (2)" in page.text("labels")
    assert "The other rows, label by label (16)" in page.text("labels")
    assert "teacher’s F1" in page.text("labels")


def test_a_matrix_of_very_many_labels_is_not_drawn(run_folder: Folder) -> None:
    def edit(scores: dict[str, Any]) -> None:
        labels = [f"label {n}" for n in range(60)]
        counts = [[int(a == b) for b in range(61)] for a in range(60)]
        row(scores, "encoder", "distilled")["details"] = {"confusion": {"labels": labels, "counts": counts}}

    assert "A matrix of 60 labels is too large" in page_of(run_folder(edit)).text("labels")


def test_the_data_and_the_rejected_are_counted_with_examples(run_folder: Folder) -> None:
    data = page_of(run_folder()).text("data")
    assert "960 unlabelled texts in the pool → 1,080 texts put to the teacher" in data
    assert "2 rejected" in data
    assert "Cost not recorded" in data
    assert "512,340 in, 9,720 out" in data
    assert "not on the list of labels 1 A storm is expected" in data
    assert 'the teacher’s reply: {"label": "weather"}' in data


def test_money_is_shown_where_it_is_known(run_folder: Folder) -> None:
    data = page_of(run_folder(lambda scores: scores["teacher"].update(cost_usd=0.12, tokens=None))).text("data")
    assert "$0.12 ($0.1111 for 1,000 texts)" in data
    assert "Tokens not recorded" in data


def _case(number: int, student: str, teacher: str | None, confidence: float) -> dict[str, Any]:
    answer = {"target": student, "confidence": confidence}
    return {
        "id": f"case-{number}",
        "text": f"Text number {number}",
        "gold": "sport",
        "teacher": None if teacher is None else {"target": teacher, "confidence": None},
        "predictions": {"encoder/distilled": answer},
    }


def test_disagreements_are_judged_counted_and_the_surest_come_first(run_folder: Folder) -> None:
    predictions = [
        _case(1, "sport", "sport", 0.9),
        _case(2, "crime", "sport", 0.6),
        _case(3, "sport", "crime", 0.95),
        _case(4, "crime", "health", 0.8),
        _case(5, "crime", None, 0.8),
    ]
    page = page_of(run_folder(predictions=predictions))
    found = page.text("disagreements")
    assert "On 3 of 4 test texts" in found
    assert "the teacher is right on 1, the student on 1, and neither on 1" in found
    assert re.findall(r"case-(\d)", found) == ["3", "4", "2"]
    assert "gold sport teacher crime ✗ wrong student sport ✓ right 95 % sure" in found
    assert "Of 5 test texts, the encoder (the first of 3 seeds) gets 2 right." in page.text("answer")


def test_twenty_disagreements_are_enough(run_folder: Folder) -> None:
    page = page_of(run_folder(predictions=[_case(n, "crime", "sport", 0.5 + n / 100) for n in range(30)]))
    shown = re.findall(r"case-(\d+)", page.text("disagreements"))
    assert (len(shown), shown[0]) == (20, "29")


def test_answers_that_are_spans_are_put_in_words(run_folder: Folder) -> None:
    case = _case(1, "x", "y", 0.5) | {"text": "Athens won.", "gold": []}
    case["predictions"]["encoder/distilled"]["target"] = [{"start": 0, "end": 6, "type": "LOC"}]
    case["teacher"] = {"target": None, "confidence": None}
    found = page_of(run_folder(predictions=[case])).text("disagreements")
    assert "gold none teacher no valid answer ✗ wrong student Athens (LOC) ✗ wrong" in found


def test_confidence_is_held_against_what_was_right(run_folder: Folder) -> None:
    page = page_of(run_folder(predictions=[_case(1, "sport", "sport", 0.95), _case(2, "crime", "sport", 1.0)]))
    assert "90 % to 100 % sure 2 98 % 50 %" in page.text("measured")


def test_hostile_text_stays_text(run_folder: Folder) -> None:
    def edit(scores: dict[str, Any]) -> None:
        scores.update(name=HOSTILE, task=HOSTILE)
        scores["teacher"]["model"] = HOSTILE
        scores["choice"]["sentence"] = scores["learning_curve"]["sentence"] = HOSTILE
        scores["data"]["rejected"] = {HOSTILE: 1}
        details = row(scores, "encoder", "distilled")["details"]
        details["per_class"][HOSTILE] = details["per_class"]["sport"]
        details["confusion"]["labels"][0] = HOSTILE
        for found in scores["rows"]:
            if found["student"] == "lstm":
                found["student"] = HOSTILE

    case = _case(1, HOSTILE, "sport", 0.5) | {"text": HOSTILE * 9, "id": HOSTILE, "gold": HOSTILE}
    meta = {"rejected": HOSTILE, "reply": HOSTILE}
    rejected = [{"id": "r", "text": HOSTILE, "source": "pool", "meta": meta}]
    page = page_of(run_folder(edit, [case], rejected))
    assert page.faults == []
    assert not [tag for tag, _ in page.tags if tag in {"script", "img"}]
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    for section in ("answer", "data", "disagreements", "labels", "rows"):
        assert "<script>alert(1)</script>" in page.text(section)
    assert "{{ 7*7 }}" in page.text("answer")


def test_the_page_loads_nothing(run_folder: Folder) -> None:
    page = page_of(run_folder())
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    assert not [
        attributes for _, attributes in page.tags if attributes.keys() & {"src", "srcset", "data", "xlink:href"}
    ]
    assert all(str(attributes["href"]).startswith("#") for _, attributes in page.tags if "href" in attributes)
    assert not re.search(r"https?://|@import|url\(", page.source)
    policies = [a["content"] for tag, a in page.tags if tag == "meta" and "http-equiv" in a]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_every_link_within_the_page_leads_somewhere(run_folder: Folder) -> None:
    page = page_of(run_folder())
    targets = {f"#{attributes['id']}" for _, attributes in page.tags if "id" in attributes}
    links = {str(attributes["href"]) for tag, attributes in page.tags if tag == "a"}
    assert links
    assert links <= targets


def _without(*keys: str) -> Callable[[dict[str, Any]], None]:
    def edit(scores: dict[str, Any]) -> None:
        for key in keys:
            scores[key] = None if key in {"learning_curve", "choice", "data", "teacher"} else []

    return edit


def _bare(scores: dict[str, Any]) -> None:
    metrics = {"macro_f1": {"mean": 0.5, "low": None, "high": None}}
    rows = [{"student": "linear", "mixture": "distilled", "metrics": metrics}]
    scores.clear()
    scores.update(headline="macro_f1", rows=rows)


def _no_gold(scores: dict[str, Any]) -> None:
    scores["rows"] = [found for found in scores["rows"] if found["mixture"] != "gold"]


def _no_teacher(scores: dict[str, Any]) -> None:
    scores["rows"] = [found for found in scores["rows"] if found["student"] != "teacher"]


def _no_latency(scores: dict[str, Any]) -> None:
    for found in scores["rows"]:
        found["latency_ms"] = None


@pytest.mark.parametrize(
    "edit",
    [
        _without("learning_curve"),
        _without("choice", "data", "teacher", "comparisons"),
        _bare,
        _no_gold,
        _no_teacher,
        _no_latency,
        None,
    ],
    ids=["no curve", "no choice, data, teacher", "bare", "no gold", "no teacher", "no latency", "whole"],
)
def test_the_page_is_well_formed_whatever_is_missing(run_folder: Folder, edit: Any) -> None:
    page = page_of(run_folder(edit))
    assert page.faults == []
    assert page.open == []
    assert "None" not in page.text()
    assert "nan" not in page.text().lower().split()


def test_a_missing_latency_is_said(run_folder: Folder) -> None:
    def edit(scores: dict[str, Any]) -> None:
        row(scores, "gbdt", "union")["latency_ms"] = None

    assert "no latency is recorded: gbdt (union)." in page_of(run_folder(edit)).text("quality")


def test_where_the_run_chose_none_the_best_score_is_shown(run_folder: Folder) -> None:
    page = page_of(run_folder(_without("choice")))
    assert "encoder the choice union" in page.text("rows")


def test_missing_predictions_and_rejected_rows_are_said(run_folder: Folder) -> None:
    folder = run_folder(_without("data"))
    (folder / "6-predictions.jsonl").unlink()
    (folder / "3-rejected.jsonl").unlink()
    page = page_of(folder)
    assert "are not recorded side by side" in page.text("disagreements")
    assert "The counts of the data are not recorded" in page.text("data")


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("{", "not JSON"),
        ("[]", "not a scores file"),
        ("{}", "headline: Field required; rows: Field required"),
        ('{"headline": "f1", "rows": []}', "no student's row"),
        ('{"headline": "f1", "rows": [{"student": "a", "metrics": {}}]}', "rows: a has no f1"),
        ('{"version": 2, "headline": "f1", "rows": [{"student": "a", "metrics": {"f1": {"mean": 1}}}]}', "version"),
        ('{"headline": "f1", "rows": [{"student": "a", "metrics": {"f1": {"mean": NaN}}}]}', "finite"),
        (
            '{"headline": "f1", "rows": [{"student": "a", "metrics": {"f1": {"mean": 1}}}], "choice":{"student": "b"}}',
            "choice: there is no row b",
        ),
    ],
)
def test_a_broken_scores_file_is_one_clear_line(run_folder: Folder, broken: str, said: str) -> None:
    folder = run_folder()
    (folder / "6-scores.json").write_text(broken)
    with pytest.raises(DataError, match=re.escape(said)) as caught:
        write_report(folder)
    assert "6-scores.json" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (folder / "8-report.html").exists()


def test_a_control_is_named_so_and_is_no_candidate(run_folder: Folder) -> None:
    def edit(scores: dict[str, Any]) -> None:
        row(scores, "gbdt", "gold").update(student="lead", control=True)
        pair = {"a": "encoder/distilled", "b": "lead/gold", "metric": "macro_f1", "p_value": 0.001}
        scores["comparisons"].append(pair | {"difference": 0.4, "low": 0.3, "high": 0.5})

    page = page_of(run_folder(edit))
    assert "lead the control gold" in page.text("rows")
    beaten = "encoder/distilled beats the control lead by +0.400 [+0.300, +0.500] macro-F1."
    assert f"Against the control {beaten}" in page.text("answer")
    assert "the best of 15 is partly the luckiest" in page.text("measured")


def test_a_control_cannot_have_been_chosen(run_folder: Folder) -> None:
    folder = run_folder(lambda scores: row(scores, "encoder", "distilled").update(control=True))
    with pytest.raises(DataError, match="choice: there is no row encoder/distilled"):
        write_report(folder)


def test_a_missing_scores_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"6-scores\.json: cannot be read"):
        write_report(tmp_path)


@pytest.mark.parametrize("row_", [{"id": "1"}, {"id": "1", "text": "t", "gold": "a", "predictions": []}])
def test_a_broken_row_of_predictions_is_named_with_its_line(run_folder: Folder, row_: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=r"6-predictions\.jsonl:1: not a row of predictions"):
        write_report(run_folder(predictions=[row_]))


def test_where_the_price_is_known_the_page_says_when_a_student_has_paid_back(run_folder: Folder) -> None:
    page = page_of(run_folder(lambda scores: scores["teacher"].update(cost_usd=2.16)))
    assert "After 1,080 calls at $0.002 the teacher would have cost" in page.text("data")
    labels = [str(attributes.get("aria-label")) for tag, attributes in page.tags if tag == "svg"]
    assert (
        sum(label.startswith("Money by calls: after 1,080 calls the teacher has cost $2.16") for label in labels) == 2
    )


@pytest.mark.parametrize("known", [{"cost_usd": None}, {"cost_usd": 0.0}, {"cost_usd": 1.0, "requests": 0}])
def test_without_a_price_nothing_is_said_of_paying_back(run_folder: Folder, known: dict[str, Any]) -> None:
    page = page_of(run_folder(lambda scores: scores["teacher"].update(known)))
    assert "pays back" not in page.text("data")
