"""The page of a run of every task, made of the scores and predictions that an evaluation writes."""

import json
from pathlib import Path

import pytest

from tests.evaluation.samples import SAMPLES, Sample
from tests.report.pages import Page, page_of
from understudy import words
from understudy.errors import DataError
from understudy.report.page import write_report

HOSTILE = "<script>alert(1)</script>"


def written(sample: Sample, folder: Path) -> Path:
    (folder / "6-scores.json").write_text(json.dumps(sample.scores()), encoding="utf-8")
    rows = "".join(json.dumps(row) + "\n" for row in sample.predictions())
    (folder / "6-predictions.jsonl").write_text(rows, encoding="utf-8")
    return folder


def page(name: str, folder: Path) -> Page:
    return page_of(written(SAMPLES[name], folder))


@pytest.mark.parametrize("name", SAMPLES)
def test_the_page_is_whole_and_every_metric_stands_in_it(name: str, tmp_path: Path) -> None:
    found = page(name, tmp_path)
    assert found.faults == found.open == []
    assert "None" not in found.text()
    targets = {f"#{attributes['id']}" for _, attributes in found.tags if "id" in attributes}
    assert {str(attributes["href"]) for tag, attributes in found.tags if tag == "a"} <= targets
    for key in SAMPLES[name].scores()["rows"][0]["metrics"]:
        assert words.metric(key).name in found.text("rows")
        assert words.metric(key).meaning in found.text("measured")


def test_the_many_metrics_of_a_summary_stand_behind_a_fold(tmp_path: Path) -> None:
    rows = page("summarization", tmp_path).text("rows")
    front, _, folded = rows.partition("The other metrics (10)")
    front_titles = ["ROUGE-L F1", "ROUGE-1 F1", "ROUGE-2 F1", "words", "length ratio", "entity support", "latency"]
    assert [front.index(title) for title in front_titles] == sorted(front.index(title) for title in front_titles)
    for aside in ("ROUGE-1 precision", "ROUGE-Lsum F1", "novel bigrams"):
        assert aside not in front
        assert aside in folded


def test_the_length_of_summaries_is_told_beside_their_score_and_never_judged(tmp_path: Path) -> None:
    found = page("summarization", tmp_path)
    said = "Its answers: words 9.0 (the teacher’s 9.1), length ratio 0.90 (the teacher’s 0.94), entity support "
    assert said in found.text("answer")
    foremost = found.text("comparisons").partition("All other comparisons")[0]
    assert "linear (gold) neither side is better" in foremost
    assert "length ratio" in foremost
    assert "novel bigrams" not in found.text("comparisons")


def test_no_row_is_best_by_a_metric_without_a_better_side(tmp_path: Path) -> None:
    found = page("summarization", tmp_path)
    best = [attributes for tag, attributes in found.tags if tag == "td" and attributes.get("class") == "right best"]
    judged = 17 - len(SAMPLES["summarization"].task.diagnostic)
    assert len(best) >= judged


def test_entities_are_told_type_by_type_with_what_became_of_them(tmp_path: Path) -> None:
    labels = page("ner", tmp_path).text("labels")
    assert "Type by type" in labels
    assert "type correct partial wrong type missed spurious" in labels
    assert "360 true entities" in labels
    assert "all types" in labels
    assert "label" not in labels.lower()
    assert labels.count("A true entity is marked exactly") == 1


def test_confidence_in_spans_is_of_whole_answers_and_in_free_text_of_nothing(tmp_path: Path) -> None:
    assert "how often all of its answer is right" in page("ner", tmp_path).text("measured")
    for name in ("summarization", "text2text"):
        measured = page(name, tmp_path).text("measured")
        assert "confidence be trusted" not in measured
        assert "calibration" not in measured


def test_free_text_is_shown_side_by_side_and_not_called_right_or_wrong(tmp_path: Path) -> None:
    found = page("summarization", tmp_path)
    samples = found.text("samples")
    assert samples.count("gold The mayor Ann Lee spoke with Bob of bridges. teacher") == 6
    assert "✗" not in found.text()
    assert "disagreements" not in found.texts
    assert page("summarization", tmp_path).text("samples") == samples


def test_hostile_answers_stay_text(tmp_path: Path) -> None:
    folder = written(SAMPLES["text2text"], tmp_path)
    row = SAMPLES["text2text"].predictions()[0]
    row |= {"id": HOSTILE, "text": HOSTILE, "gold": HOSTILE, "teacher": {"target": HOSTILE * 99, "confidence": None}}
    (folder / "6-predictions.jsonl").write_text(json.dumps(row) + "\n")
    found = page_of(folder)
    assert "script" not in {tag for tag, _ in found.tags}
    assert HOSTILE in found.text("samples")


@pytest.mark.parametrize("row", [{"id": "1"}, {"id": "1", "text": "t", "gold": "a", "predictions": []}])
def test_a_broken_row_of_written_answers_is_named_with_its_line(row: dict[str, object], tmp_path: Path) -> None:
    folder = written(SAMPLES["text2text"], tmp_path)
    (folder / "6-predictions.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(DataError, match=r"6-predictions\.jsonl:1: not a row of predictions"):
        write_report(folder)


def test_answers_that_are_not_recorded_are_said_to_be_missing(tmp_path: Path) -> None:
    folder = written(SAMPLES["text2text"], tmp_path)
    (folder / "6-predictions.jsonl").unlink()
    assert "are not recorded side by side" in page_of(folder).text("samples")
