"""Rules that every text keeps: one space beside Latin letters and digits in Chinese, and nothing counts "1 agents"."""

from __future__ import annotations

import ast
import re
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from facility.so_many import so_many
from wording.formats import Formats
from wording.spacing import joined, spaced, unspaced_in
from wording.texts import DOMAINS, Texts, load_texts, read_catalogue

ROOT = Path(__file__).parent.parent.parent
CHINESE = {text_id: text for domain in DOMAINS for text_id, text in read_catalogue("zh-Hans", domain).items()}
ENGLISH = {text_id: text for domain in DOMAINS for text_id, text in read_catalogue("en", domain).items()}
TEMPLATES = ROOT / "console/templates"
PACKAGES = ["accounting", "analytics", "console", "dashboards", "edge_agent", "facility", "ingest", "meterhouse"]
PACKAGES += ["process", "reports", "stores", "wording"]
HAN = "\u3400-\u4dbf\u4e00-\u9fff"

NOT_SAID = {
    "隔离": "异常数据", "消息代理": "消息服务器", "采集代理": "边缘采集器", "边缘代理": "边缘采集器",
    "给出判定": "填写核查结论", "给出结论": "填写核查结论", "不处理的代价": "不处理的损失", "门磁": "门",
    "流代号": "数据流编号", "发件箱": "待发缓存", "冒用": "署名与发送方不符", "账户": "账号", "进程": "程序",
    "服务端": "服务器", "站点": "园区", "建筑(?!面积)": "楼宇", "业务数据库": "记录库", "未关闭告警": "未结告警",
    "接手告警": "接单", "设备配置": "设备规约", "证据": "依据", "代价": "损失", "计量表": "表计", "测量量": "物理量",
}  # fmt: skip
"""Chinese words for which the glossary has another."""


def own_words(text):
    return re.split(r"\{\w+\}", text)


@pytest.mark.parametrize("word", NOT_SAID)
def test_one_word_is_said_of_one_thing(word):
    assert [text_id for text_id, text in CHINESE.items() if re.search(word, text)] == []


def test_chinese_has_a_space_beside_latin_letters_and_digits_and_none_beside_a_place():
    assert {i: text for i, text in CHINESE.items() if any(unspaced_in(words) for words in own_words(text))} == {}
    beside = re.compile(rf"[{HAN}] +\{{\w+\}}|\{{\w+\}} +[{HAN}]")
    assert {i: text for i, text in CHINESE.items() if beside.search(text)} == {}


def test_chinese_is_punctuated_as_chinese():
    foreign = re.compile(rf"[{HAN}][,;:!?()]|[,;:!?()][{HAN}]|[{HAN}] +[{HAN}]|['\"]|[{HAN}] ?…(?!…)")
    assert {i: text for i, text in CHINESE.items() if any(foreign.search(words) for words in own_words(text))} == {}


@pytest.mark.parametrize(
    ("pieces", "whole"),
    [
        (["已持续", "14 小时", ""], "已持续 14 小时"),
        (["", "图书馆", "无人时，", "水表", "多用", "18.0 kWh", "。"], "图书馆无人时，水表多用 18.0 kWh。"),
        (["", "edge-1", "已获准。请将", "/x/1.join", "带去"], "edge-1 已获准。请将 /x/1.join 带去"),
        (["高于预期", "+12%", ""], "高于预期 +12%"),
        (["很可能（", "93%", "）"], "很可能（93%）"),
        (["不处理每年约", "¥7,850", ""], "不处理每年约 ¥7,850"),
        (["", "A座1层", "的水表"], "A座1层的水表"),
        (["共", "3", "条", "", ""], "共 3 条"),
    ],
)
def test_a_space_stands_where_a_place_is_filled_by_what_is_not_chinese(pieces, whole):
    assert joined(pieces) == whole


def test_a_text_that_is_filled_keeps_the_rule():
    zh = load_texts("zh-Hans")
    assert zh("alert.past", n=3, real=1) == "此处以往 3 次告警中有 1 次属实"
    hours = Formats("zh-Hans", "Asia/Shanghai", "CNY").lasting(timedelta(hours=14))
    assert zh("alert.lasting", span=hours) == "已持续 14 小时"
    assert spaced("7秒前") == "7 秒前"
    assert Texts("en", {"x": "at {y}中"})("x", y="A") == "at A中", "other languages have rules of their own"


OF_COUNTS = "all|cases|changed|days|examples|found|gone|hours|items|meters|missing|months|n|of|others|profiles|queries"
OF_COUNTS += "|readings|rows|series|unchanged|whole"
COUNTS = re.compile(rf"\{{({OF_COUNTS})\}} (?!of )(?:\w+ )?(\w+[^s\W]s|were|are|have|stand)\b")
"""A place that holds a count and, after it, what is said of several."""


def test_a_text_that_counts_has_a_form_for_one():
    assert {i: t for i, t in ENGLISH.items() if COUNTS.search(t) and f"{i}.one" not in ENGLISH} == {}


def test_a_text_with_a_form_for_one_is_never_said_without_counting():
    named = "|".join(re.escape(text_id.removesuffix(".one")) for text_id in ENGLISH if text_id.endswith(".one"))
    said = re.compile(rf"""\b(?:t|texts|texts\(\)|visit\.texts)\(["']({named})["']""")
    files = [*(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")), *TEMPLATES.glob("*.html")]
    assert [f"{p.name}: {found[1]}" for p in files for found in said.finditer(p.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(("n", "said"), [(0, "0 entries"), (1, "1 entry"), (1200, "1,200 entries")])
def test_so_many_things(n, said):
    assert so_many(n, "entry") == said
    assert so_many(n, "day") == f"{n:,} day{'s' * (n != 1)}"
    assert so_many(n, "agent") == f"{n:,} agent{'s' * (n != 1)}"


THINGS = "agents|readings|messages|rows|items|points|meters|hours|days|minutes|cases|alerts|lines|entries|figures|files"
THINGS += "|models|makers|packets|registers|devices|buildings|departments|shares|payloads|clients|people|tokens"
COUNTED = re.compile(rf" (?:\w+ )?({THINGS})\b")
NEVER_ONE = {
    "ENDS_SOON.days", "a_week", "minutes", "TABLES[request.function]", "MAX_POINTS", "len(batch.points)", "MOST_ROWS",
    "MOST_OF_ONE", "LONGEST_REASON", "LONGEST_SNOOZE.days", "longest.days",
}  # fmt: skip
"""Numbers of ours that are never one."""


def counted_in(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for place, words in pairwise(node.values if isinstance(node, ast.JoinedStr) else []):
            if isinstance(place, ast.FormattedValue) and isinstance(words, ast.Constant):
                said, found = ast.unparse(place.value), COUNTED.match(str(words.value))
                if found and said not in NEVER_ONE and not said.startswith("so_many("):
                    yield f"{path.name}:{node.lineno}: {said}{found[0]}"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_sentence_in_code_says_one_things(package):
    assert [one for path in (ROOT / package).rglob("*.py") for one in counted_in(path)] == []
