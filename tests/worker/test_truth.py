from __future__ import annotations

from pathlib import Path

import pytest

from segmentation.geometry import Box
from worker.errors import PathUnreadable
from worker.measures import Truth
from worker.truth import TruePage, TruthUnreadable, read_truth


def written(folder: Path, text: str, name: str = "truth.jsonl") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_json_lines_give_pages_in_order_without_what_holds_letters(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '{"file": "a/1.png", "fields": [{"name": "votes", "value": "_2X?", "box": [388, 232.4, 72, 28]},'
        ' {"name": "name", "value": "Ann", "letters": true}]}\n\n'
        '{"file": "2.pdf", "page": 3, "capture": "photo", "note": "blurred", "fields": []}\n',
    )

    assert read_truth(path) == (
        TruePage("a/1.png", 1, (Truth("votes", "_2X?", Box(388, 232, 72, 28)),)),
        TruePage("2.pdf", 3, (), is_photo=True, note="blurred"),
    )


def test_a_csv_says_the_same_in_rows(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "\ufefffile,page,field,value,box\n1.png,,votes,_275,388 232 72 28\n1.png,1,day,08,\n2.png,1,,,\n",
        "truth.csv",
    )

    assert read_truth(path) == (
        TruePage("1.png", 1, (Truth("votes", "_275", Box(388, 232, 72, 28)), Truth("day", "08"))),
        TruePage("2.png", 1, ()),
    )


def test_the_csv_of_results_will_do(tmp_path: Path) -> None:
    path = written(
        tmp_path, "batch,document,page,field,value,box\nb,1.png,2,r01c01,275,388|232|72|28\n", "results.csv"
    )

    assert read_truth(path) == (TruePage("1.png", 2, (Truth("r01c01", "275", Box(388, 232, 72, 28)),)),)


GOOD = '{"file": "1.png", "fields": []}\n'


@pytest.mark.parametrize(
    ("text", "name", "says"),
    [
        (GOOD + "{oops\n", "t.jsonl", "line 2: Expecting"),
        (GOOD + '{"fields": []}\n', "t.jsonl", "line 2: file is missing"),
        (GOOD + '{"file": "2.png"}\n', "t.jsonl", "line 2: fields is missing"),
        (GOOD + '{"file": "2.png", "fields": ["275"]}\n', "t.jsonl", "line 2: "),
        ('{"file": "2.png", "fields": [{"name": "n", "value": "2a"}]}', "t.jsonl", "the value of n is '2a'"),
        ('{"file": "2.png", "fields": [{"name": "n", "value": 275}]}', "t.jsonl", "the value of n is 275"),
        (
            '{"file": "2.png", "fields": [{"name": "n", "value": "2", "box": [1, 2]}]}',
            "t.jsonl",
            r"the box of n is \[1, 2\]; write x, y, width and height",
        ),
        (GOOD + GOOD, "t.jsonl", "1.png page 1 is there twice"),
        ("", "t.jsonl", "is empty"),
        ("file,field\n", "t.csv", "line 1: no column value among file, field"),
        ("file,page,field,value\n1.png,one,n,2\n", "t.csv", "line 2: invalid literal"),
        ("file,page,field,value\n1.png,1,n,2\n1.png,1,m,x\n", "t.csv", "line 3: the value of m is 'x'"),
    ],
)
def test_a_line_that_cannot_be_understood_is_named(tmp_path: Path, text: str, name: str, says: str) -> None:
    path = written(tmp_path, text, name)

    with pytest.raises(TruthUnreadable, match=says) as refused:
        read_truth(path)

    assert str(path) in str(refused.value)


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(PathUnreadable, match=r"gone\.jsonl: No such file"):
        read_truth(tmp_path / "gone.jsonl")
    (tmp_path / "scan.jsonl").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(TruthUnreadable, match="not UTF-8"):
        read_truth(tmp_path / "scan.jsonl")
