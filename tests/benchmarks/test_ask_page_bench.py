"""How long an answer takes on the screen: from the key to the answer that is painted, in Chromium, on the parcel twin.

Run with ``pytest tests/benchmarks/test_ask_page_bench.py -m benchmark -s -n0``; nothing else should run beside it. Questions are those that
others asked of the parcel twin (``asked_of_parcel.py``). Each is typed into a page, planned with Enter and run with Enter; refused ones are
timed to their reason. ``TWINLAB_BENCH_QUESTIONS`` takes how many (30 by default, evenly among all), ``TWINLAB_BENCH_OUT`` JSON. Figures are reported, never asserted.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.benchmarks.asked_by_others import ASKED, open_asked
from twinlab.apps import start

pytestmark = pytest.mark.benchmark
#: What the panel says once a question is planned or refused, and once it is answered.
_PLANNED = "Nothing has run yet|Noch ist nichts gelaufen|can't tell|kann ich nicht|didn't work|ging nicht"
_RAN = "This was read|Das wurde gelesen|didn't work|ging nicht"
#: Resolves with the milliseconds until the text is painted that one of several words are in.
_WAIT = """([words, question, begun]) => new Promise(done => {
  const wanted = new RegExp(words)
  const inside = root => {
    for (const one of root.querySelectorAll("*")) {
      if (one.shadowRoot && inside(one.shadowRoot)) return true
      if (one.tagName === "SECTION" && wanted.test(one.textContent) && one.textContent.includes(question)) return true
      if (one.getAttribute("role") === "alert" && wanted.test(one.textContent)) return true
    }
    return false
  }
  const look = () => {
    if (inside(document)) requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - begun)))
    else setTimeout(look, 15)
  }
  look()
})"""


def asked(page: Any, box: Any, question: str) -> dict[str, Any]:
    """Ask one question; return the seconds to the plan and to the answer."""
    question = " ".join(question.split())
    box.fill(question)
    begun = page.evaluate("performance.now()")
    page.keyboard.press("Enter")
    planned = page.evaluate(_WAIT, [_PLANNED, question, begun]) / 1000
    run = page.get_by_role("button", name="Run", exact=True)
    if not run.is_visible():
        return {"question": question, "plan": planned, "answer": None}
    begun = page.evaluate("performance.now()")
    page.keyboard.press("Enter")
    return {"question": question, "plan": planned, "answer": page.evaluate(_WAIT, [_RAN, question, begun]) / 1000}


def test_answers_on_the_screen(browser: Any) -> None:
    count = int(os.environ.get("TWINLAB_BENCH_QUESTIONS", "30"))
    every = [one.question for twins in ASKED.values() for one in twins.get("parcel", ())]
    questions = every[:: max(1, len(every) // count)][:count]
    served = start(open_asked("parcel"))
    page = browser.new_context(viewport={"width": 1400, "height": 1000}).new_page()
    try:
        page.goto(f"{served.url}?page=now")
        box = page.get_by_role("combobox", name="Ask about the data, in English or German")
        box.wait_for(timeout=60_000)
        page.wait_for_load_state("networkidle")
        first = asked(page, box, "how many trucks are there")
        rows = [asked(page, box, question) for question in questions]
    finally:
        page.context.close()
        served.stop()
    plans = [row["plan"] for row in rows]
    answers = [row["answer"] for row in rows if row["answer"] is not None]
    whole = [row["plan"] + (row["answer"] or 0.0) for row in rows]
    figures: dict[str, float] = {
        "questions": len(rows),
        "answered": len(answers),
        "first question s": round(first["plan"], 2),
    }
    for name, seconds in (("plan", plans), ("answer", answers), ("plan and answer", whole)):
        figures[f"{name} median s"] = round(float(np.median(seconds)), 2)
        figures[f"{name} p95 s"] = round(float(np.quantile(seconds, 0.95)), 2)
    for key, value in figures.items():
        sys.stdout.write(f"{key:28} {value}\n")
    if out := os.environ.get("TWINLAB_BENCH_OUT"):
        Path(out).write_text(json.dumps({"figures": figures, "rows": rows}, indent=1, ensure_ascii=False))
    assert len(rows) == len(questions)
