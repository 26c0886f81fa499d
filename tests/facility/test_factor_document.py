"""CO2 factors and typical uses in a site.yaml: dated, with their unit and their source."""

from datetime import date

import pytest

from device_profiles import load_profiles
from facility.building_use import BuildingUse
from facility.documents.site import load_site
from facility.documents.site_export import dump_site
from facility.errors import ConfigError
from facility.factors import Co2Factor, TypicalUse
from facility.quantities import Utility

SITE = """\
version: 1
site:
  id: town
  name: Town
  timezone: Asia/Shanghai
  currency: CNY
  co2:
    - {utility: electricity, kg_per_unit: 0.5366, unit: kg/kWh, valid_from: 2024-01-01, basis: announcement of 2024}
    - {utility: electricity, kg_per_unit: 0.5306, unit: kg/kWh, valid_from: 2026-01-01, basis: announcement 47 of 2025}
    - {utility: gas, kg_per_unit: 2.1622, unit: kg/m3, valid_from: 2024-01-01, basis: GB/T 32151}
  typical_use:
    - {use: office, utility: electricity, kwh_per_m2: 95, basis: "CIBSE TM46:2008, general office"}
buildings:
  - {id: hall, name: Hall}
"""


AGENT = "agents:\n  - {id: edge, buses: [{id: bus, url: 'modbus+tcp://127.0.0.1:502'}]}\n"


def load(text=SITE):
    return load_site(text, "site.yaml", load_profiles())


def test_factors_are_dated_and_an_export_loads_as_the_same():
    site = load().site
    assert site.co2[1] == Co2Factor(Utility.ELECTRICITY, 0.5306, date(2026, 1, 1), "announcement 47 of 2025")
    assert site.typical_use == (
        TypicalUse(BuildingUse.OFFICE, Utility.ELECTRICITY, 95.0, "CIBSE TM46:2008, general office"),
    )
    assert load(dump_site(load())) == load()


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            "unit: kg/kWh, valid_from: 2024",
            "unit: g/kWh, valid_from: 2024",
            "8: unit 'g/kWh' is wrong for electricity (allowed: kg/kWh)",
        ),
        ("unit: kg/m3", "unit: kg/kWh", "10: unit 'kg/kWh' is wrong for gas (allowed: kg/m3)"),
        (
            "valid_from: 2026-01-01",
            "valid_from: 2024-01-01",
            "9: two CO2 factors of electricity both begin",
        ),
        (", basis: GB/T 32151", "", "10: "),
        ("kg_per_unit: 2.1622", "kg_per_unit: -1", "10: site.co2.2.kg_per_unit is '-1'"),
        ("use: office", "use: castle", "12: "),
        ("kwh_per_m2: 95", "kwh_per_m2: 0", "12: site.typical_use.0.kwh_per_m2 is '0'"),
        ("{use: office, utility: electricity", "{use: office, utility: water", "12: water is not told in kWh"),
    ],
)
def test_a_mistake_is_told_with_its_line(before, after, said):
    assert before in SITE
    with pytest.raises(ConfigError) as caught:
        load(SITE.replace(before, after, 1))
    assert f"site.yaml:{said}" in str(caught.value)


def test_an_agent_gets_none_of_them():
    site = load(SITE + AGENT).part_for("edge").site
    assert (site.co2, site.typical_use) == ((), ())
