"""The README's ten questions, asked as they stand there, of both databases."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from tests.conftest import REPOSITORY, SAMPLES
from tests.installation import Installation
from worker.database.engine import Database, open_database, upgrade
from worker.database.read_only import ask

QUESTIONS = re.findall(r"```sql\n(-- \d+\..*?);\n```", (REPOSITORY / "README.md").read_text(), re.DOTALL)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A batch called scans: tallies, one of them broken, and a slip; some fields are not sure enough."""
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(SAMPLES / "tallies", folder / "scans")
    shutil.copy(SAMPLES / "slips" / "payment-7001.png", folder / "scans")
    (folder / "scans" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    if request.param == "sqlite":
        url = f"sqlite:///{folder}/digitmill.db"
    else:
        new_database: Callable[[], str] = request.getfixturevalue("postgres_server")
        url = new_database()
        upgrade(url)
    strict = {"database_url": url, "accept_confidence": "0.99"}
    assert Installation(folder, strict).run("run", folder / "scans").returncode == 3
    with closing(open_database(url)) as db:
        yield db


def test_the_readme_asks_ten_questions() -> None:
    assert [question.split(".")[0] for question in QUESTIONS] == [f"-- {number}" for number in range(1, 11)]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.splitlines()[0][3:])
def test_a_question_of_the_readme_has_an_answer(question: str, database: Database) -> None:
    with ask(database, question) as answer:
        assert list(answer.rows)
