"""A town with one meter, as tests of the InfluxDB store know it."""

from facility.catalogue import Agent, Catalogue
from facility.model import Building, Meter, Name, Point, ReadingBatch, Site
from facility.quantities import Quantity

POWER = "main/active_power/total"
CATALOGUE = Catalogue(
    Site("town", Name("Town"), "UTC", "EUR"),
    (),
    (Building("hall", Name("Hall")), Building("west wing", Name("West"))),
    (),
    (Agent("a", ()),),
    (Meter("main", Name("Main"), "hall", "p", "a", "bus", "1"),),
    (Point("main", Quantity.ACTIVE_POWER),),
)
USAGE = {
    "site": "town", "building": "hall", "utility": "electricity", "meter": "main", "role": "head", "enduse": "a, b=c",
    "quantity": "energy_import",
}  # fmt: skip


class Registry:
    def __init__(self, catalogue=CATALOGUE):
        self.catalogue, self.at = catalogue, 1

    def version(self):
        return self.at

    def load(self):
        return self.catalogue

    def change(self, catalogue):
        self.catalogue, self.at = catalogue, self.at + 1


def one(t_ms, x=1.0, q=0):
    return ReadingBatch([POWER], [0], [t_ms], [x], [q])
