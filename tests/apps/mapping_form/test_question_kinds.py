"""Every kind of question that a draft can ask has an answer in one click.

A kind is a place in the drafting code that makes a question. Each needs a file here that leads to it, so that a new kind
without a file, or without an answer in the form, fails.
"""

import ast
import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from twinlab.apps.mapping_form.answers import Asked, answered, asked_questions, kept
from twinlab.harmonise import draft, drafting
from twinlab.model.load import check_mapping, parse_mapping, parse_model

HOURS = [f"2026-01-{5 + hour // 24:02}T{hour % 24:02}:00Z" for hour in range(40)]


def table(head: str, rows: list[str]) -> str:
    return "\n".join([head, *rows]) + "\n"


#: Name of a file -> its content.
FILES = {
    "no_unit.csv": table("time,room,level", [f"{time},a,{place / 7:.2f}" for place, time in enumerate(HOURS)]),
    "zero_one.csv": table("time,room,pump", [f"{time},a,{place % 3 % 2}" for place, time in enumerate(HOURS)]),
    "words.csv": table(
        "time,temp (degC)", [f"{time},{'bad' if place % 9 == 4 else place / 8:.4}" for place, time in enumerate(HOURS)]
    ),
    "order.csv": table("when,temp (degC)", [f"0{1 + place % 9}/03/26 {place % 24:02}:00,{place / 3:.2f}" for place in range(40)]),
    "spring.csv": table("when,temp (degC)", [f"2026-03-29 {place // 6:02}:{place % 6}0,{place / 3:.2f}" for place in range(40)]),
    "header_zone.csv": table("when EST,temp (degC)", [f"{time[:-1]},{place}.5" for place, time in enumerate(HOURS)]),
    "code_zone.csv": table("when,tz_cd,temp (degC)", [f"{time[:-1]},EST,{place}.5" for place, time in enumerate(HOURS)]),
    "status.csv": table(
        "time,level (m),level_cd,level_remark",
        [f"{time},{place}.5,{('A', 'P', 'A e', 'X')[place % 4]},{('Q', 'V', 'Q')[place % 3]}" for place, time in enumerate(HOURS)],
    ),
    "unread.csv": table("time,temp (degC),logged time", [f"{time},{place}.5,{place}h{place + 1}x{place + 2}" for place, time in enumerate(HOURS)]),
    "hours.csv": table("date,clock,temp (degC)", [f"2026-01-{5 + place // 24:02},{place % 24},{place}.5" for place in range(48)]),
    "clocks.csv": table(
        "run,date,clock_a,clock_b", [f"r{place},2026-01-{5 + place % 20:02},08:{place:02},09:{place:02}" for place in range(30)]
    ),
    "cycles.csv": table("cycle,temp (degC)", [f"{place},{place}.5" for place in range(40)]),
    "epoch.csv": table("x,temp (degC)", [f"{1767600000 + 60 * place},{place}.5" for place in range(40)]),
    "trips.csv": table("trip id,start time,duration", [f"t{place},2026-01-{5 + place % 20:02} 08:{place:02},{place * 7 % 50 + 0.5}" for place in range(30)]),
    "faults.csv": table("time,temp (degC),is_fault", [f"{time},{place}.5,{place // 20}" for place, time in enumerate(HOURS)]),
    "runs.csv": table("time,file,temp (degC)", [f"{time},{'ab'[place // 20]}_2026,{place}.5" for place, time in enumerate(HOURS)]),
    "meters.csv": table("meter,maker,installed,removed", [f"M-{n},A,2021-05-{n:02},{'2022-01-02' if n % 3 else ''}" for n in range(1, 9)]),
    "visits.csv": table(
        "visit,start,duration,recorded",
        [
            f"v{place},2026-01-{5 + place % 20:02} 08:{place:02},{place * 7 % 50 + 0.5},"
            + ("not yet" if place % 9 == 4 else f"0{1 + place % 9}/02/26")
            for place in range(30)
        ],
    ),
}  # fmt: skip


#: Files that are drafted together with one of `FILES`.
BESIDE = {
    "limits.csv": {
        "rooms.csv": table("room,min_temperature_C,max_temperature_C", [f"R{k},{k}.5,{k + 6}.5" for k in range(1, 9)])
    }
}
FILES["limits.csv"] = table(
    "time,room,temp (degC)", [f"{time},R{k},{place}.{k}" for place, time in enumerate(HOURS) for k in range(1, 9)]
)


def modules() -> list[Path]:
    return sorted(Path(str(drafting.__file__)).parent.rglob("*.py"))


def kinds() -> set[tuple[str, str]]:
    """Return module and function of every place that makes a question."""
    found = set()
    for path in modules():
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef):
                calls = (node for node in ast.walk(function) if isinstance(node, ast.Call))
                names = {node.func.id for node in calls if isinstance(node.func, ast.Name)}
                found |= {(path.stem, function.name)} if names & {"QuestionPlan", "Asked"} else set()
    return found


@pytest.fixture
def met(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
    """Module and function of the questions that are made in a test."""
    found: set[tuple[str, str]] = set()

    def recorded(made: Any) -> Any:
        def make(*given: Any, **keywords: Any) -> Any:
            frame = sys._getframe(1)
            while frame.f_code.co_name.startswith("<"):
                assert frame.f_back is not None
                frame = frame.f_back
            found.add((Path(frame.f_code.co_filename).stem, frame.f_code.co_name))
            return made(*given, **keywords)

        return make

    root = Path(str(drafting.__file__)).parent
    for path in modules():
        name = ".".join([drafting.__name__, *path.relative_to(root).with_suffix("").parts]).removesuffix(".__init__")
        module = importlib.import_module(name)
        for made in ("QuestionPlan", "Asked"):
            if hasattr(module, made):
                monkeypatch.setattr(module, made, recorded(getattr(module, made)))
    return found


def click(texts: dict[str, str], one: Asked) -> dict[str, str]:
    """Answer as the form does with its first button."""
    return kept(texts, one) if one.keep else answered(texts, one, one.choices[0].value)


def test_every_kind_of_question_is_answered_in_one_click(tmp_path: Path, met: set[tuple[str, str]]) -> None:
    for file, content in FILES.items():
        together = {file: content, **BESIDE.get(file, {})}
        for name, text in together.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        made = draft([tmp_path / name for name in together], name="pilot")
        source, mapping = next(iter(made.mappings.items()))
        texts = {"twin.yaml": made.model_yaml, f"mapping/{source}.yaml": mapping}
        for _ in range(20):
            model = parse_model(texts["twin.yaml"])
            parsed = parse_mapping(texts[f"mapping/{source}.yaml"])
            check_mapping(parsed, model, source)
            asked = asked_questions(texts, model, parsed)
            if not asked:
                break
            one = asked[0]
            assert one.keep or one.choices, f"{file}: no button for {one.question}"
            for choice in one.choices:
                answer = answered(texts, one, choice.value)
                left = asked_questions(
                    answer, parse_model(answer["twin.yaml"]), parse_mapping(answer[f"mapping/{source}.yaml"])
                )
                assert one.question not in [other.question for other in left], f"{file}: {choice} leaves {one.question}"
            texts = click(texts, one)
        assert asked == [], f"{file}: {asked[0].question} is still open"
    assert kinds() - met == set(), "a kind of question without a file in FILES that leads to it"
