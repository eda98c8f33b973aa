"""Four hundred questions that others asked who hadn't read the parser: how many answers are right, how long they take, and plans run again.

Run with ``pytest tests/benchmarks/test_ask_bench.py -m benchmark -s -n0``. No language model is asked. Wrong without a warning means: the
value or the table isn't the true one, and no note says what was assumed. Each plan is run again from its JSON in a fresh process, which
compares values and tables by their text. ``-k`` with ``first``, ``again``, ``held`` or ``third`` chooses a set. ``TWINLAB_BENCH_OUT`` takes JSON, a
file for each set beside it. Figures are reported, not asserted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.benchmarks.asked_by_others import ASKED, open_asked
from tests.benchmarks.asked_judge import VERDICTS, Judge
from tests.benchmarks.asked_truth import Asked, Facts

if TYPE_CHECKING:
    from twinlab.ask import Answer
    from twinlab.twin import Twin

pytestmark = pytest.mark.benchmark

AGAIN = """
import json, sys
import twinlab as tl
from tests.benchmarks.test_ask_bench import said
from twinlab.ask import Plan

twin = tl.open(sys.argv[1])
for line in sys.stdin:
    print(json.dumps(said(twin.ask(Plan.model_validate_json(line)))))
"""


def said(answer: Answer) -> list[str]:
    """Return the value and the table of an answer as text."""
    return [repr(answer.value), answer.unit, answer.table.to_csv()]


def labels(twin: Twin) -> dict[str, str]:
    """Return the name of each asset whose type has names."""
    found = {}
    for kind, spec in twin.model.asset_types.items():
        if spec.label is not None:
            found.update(twin.assets(kind)[spec.label].dropna().astype(str))
    return found


def ask_all(questions: tuple[Asked, ...], name: str) -> tuple[list[dict[str, Any]], list[Answer]]:
    """Ask one twin its questions; return a row for each question, and the answers."""
    twin = open_asked(name)
    facts, judge = Facts(twin), Judge(labels(twin))
    rows, answers = [], []
    for asked in questions:
        began = time.perf_counter()
        try:
            answer = twin.ask(asked.question)
        except Exception as error:  # noqa: BLE001  (an answer that fails is a row of the report)
            rows.append(
                {"twin": name, "question": asked.question, "verdict": "error", "said": repr(error), "seconds": 0.0}
            )
            continue
        seconds = time.perf_counter() - began
        truths = asked.truths(facts)
        answers.append(answer)
        rows.append(
            {
                "twin": name, "question": asked.question, "verdict": judge.verdict(answer, truths), "seconds": seconds,
                "said": str(answer), "true": [str(one) for one in truths],
            }
        )  # fmt: skip
    return rows, answers


def run_again(twin: Twin, answers: list[Answer]) -> tuple[int, int]:
    """Run the plans of answers in a fresh process; return how many there are, and how many say the same."""
    ran = [answer for answer in answers if answer.answered and answer.plan is not None]
    done = subprocess.run(
        [sys.executable, "-c", AGAIN, str(twin.folder)],
        input="\n".join(answer.plan.text for answer in ran),
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    same = [json.loads(line) == said(answer) for line, answer in zip(done.stdout.splitlines(), ran, strict=True)]
    return len(ran), sum(same)


@pytest.mark.parametrize("which", list(ASKED))
def test_questions_of_others(which: str) -> None:
    rows, plans, same = [], 0, 0
    for name, questions in ASKED[which].items():
        found, answers = ask_all(questions, name)
        rows += found
        ran, again = run_again(open_asked(name), answers)
        plans, same = plans + ran, same + again
    seconds = [row["seconds"] for row in rows]
    figures = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in VERDICTS}
    figures |= {"plans": plans, "plans that say the same again": same, "median s": round(float(np.median(seconds)), 3),
                "p95 s": round(float(np.quantile(seconds, 0.95)), 3)}  # fmt: skip
    for row in rows:
        if row["verdict"] != "right":
            sys.stdout.write(
                f"[{row['twin']}] {row['verdict']}: {row['question']}\n    {row['said'].splitlines()[0]}\n"
            )
    for key, value in figures.items():
        sys.stdout.write(f"{key:32} {value}\n")
    if out := os.environ.get("TWINLAB_BENCH_OUT"):
        path = Path(out).with_stem(f"{Path(out).stem}_{which.replace(' ', '_')}")
        path.write_text(json.dumps({"figures": figures, "rows": rows}, indent=1, ensure_ascii=False, default=str))
    assert len(rows) == sum(map(len, ASKED[which].values()))
    assert not figures["error"]
