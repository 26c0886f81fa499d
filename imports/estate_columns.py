"""The table of meters with both trees: its columns, and what each cell is made of. Import and export share it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Any, Literal

from facility.stated import Member

CellKind = Literal["text", "number", "whole", "truth", "day"]


@unique
class EstateColumn(StrEnum):
    """A column; its word is the header that an export writes."""

    KIND = "kind"
    ID = "id"
    NAME = "name"
    NAME_ZH = "name_zh"
    VALID_FROM = "valid_from"
    BUILDING = "building"
    SPACE = "space"
    DEPARTMENT = "department"
    COST_CENTRE = "cost_centre"
    USE = "use"
    FLOOR_AREA = "floor_area_m2"
    UTILITY = "utility"
    ROLE = "role"
    ENDUSE = "enduse"
    SERIAL = "serial"
    CT_RATIO = "ct_ratio"
    PT_RATIO = "pt_ratio"
    DIGITS = "digits"
    ROLLS_OVER_AT = "rolls_over_at"
    MOST_PER_HOUR = "most_per_hour"
    READ_EVERY_DAYS = "read_every_days"
    PROFILE = "profile"
    AGENT = "agent"
    BUS = "bus"
    UNIT = "unit"
    POLL_S = "poll_s"
    LEVEL = "level"
    PROVENANCE = "provenance"
    SHARES_DEVICE = "shares_device"


C = EstateColumn

KINDS: dict[EstateColumn, CellKind] = {
    C.VALID_FROM: "day",
    C.SHARES_DEVICE: "truth",
    **dict.fromkeys((C.DIGITS, C.READ_EVERY_DAYS), "whole"),
    **dict.fromkeys((C.FLOOR_AREA, C.CT_RATIO, C.PT_RATIO, C.ROLLS_OVER_AT, C.MOST_PER_HOUR, C.POLL_S), "number"),
}
"""What is no text."""

CHINESE: dict[EstateColumn, tuple[str, ...]] = {
    C.KIND: ("类别", "类型"),
    C.ID: ("编号", "表号", "表计编号"),
    C.NAME: ("英文名称",),
    C.NAME_ZH: ("名称", "中文名称"),
    C.VALID_FROM: ("生效日期", "起始日期"),
    C.BUILDING: ("建筑", "楼宇", "建筑编号"),
    C.SPACE: ("空间", "所在空间", "楼层房间"),
    C.DEPARTMENT: ("部门", "所属部门", "单位"),
    C.COST_CENTRE: ("成本中心",),
    C.USE: ("用途",),
    C.FLOOR_AREA: ("建筑面积", "面积"),
    C.UTILITY: ("能源种类", "能源品种"),
    C.ROLE: ("表计角色",),
    C.ENDUSE: ("分项", "分项用途"),
    C.SERIAL: ("出厂编号", "资产编号"),
    C.CT_RATIO: ("电流互感器变比", "ct"),
    C.PT_RATIO: ("电压互感器变比", "pt"),
    C.READ_EVERY_DAYS: ("抄表周期", "抄表周期(天)"),
    C.LEVEL: ("数据级别",),
}
"""What columns are called in Chinese tables, beside their word."""

OF_KIND: dict[Member, tuple[EstateColumn, ...]] = {
    Member.DEPARTMENT: (C.COST_CENTRE,),
    Member.BUILDING: (C.USE, C.FLOOR_AREA),
    Member.SPACE: (C.BUILDING, C.USE),
    Member.METER: (
        *(C.BUILDING, C.UTILITY, C.ROLE, C.ENDUSE, C.SERIAL, C.CT_RATIO, C.PT_RATIO, C.DIGITS, C.ROLLS_OVER_AT),
        *(C.MOST_PER_HOUR, C.READ_EVERY_DAYS, C.PROFILE, C.AGENT, C.BUS, C.UNIT, C.POLL_S, C.LEVEL, C.PROVENANCE),
        C.SHARES_DEVICE,
    ),
}
"""What the rows of each kind say beside kind, id, names, day and the two trees."""

KEY_OF: dict[tuple[Member, EstateColumn], str] = {(Member.SPACE, C.USE): "kind"}
"""Where site.yaml has another word for a column of a kind."""

DEVICE = (C.SERIAL, C.CT_RATIO, C.PT_RATIO, C.DIGITS, C.ROLLS_OVER_AT)
"""What belongs to the device that hangs there: where a ledger has it, it changes by a swap alone."""


@dataclass(frozen=True, slots=True)
class EstateRow:
    """A row of the table: its number, what it is about, and its filled cells by column, as typed values."""

    number: int
    kind: Member
    id: str
    cells: dict[EstateColumn, Any]
