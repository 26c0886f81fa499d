"""What a building is for: a closed vocabulary; ``use.<word>`` is its text in every language."""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class BuildingUse(StrEnum):
    """Kinds of buildings; two words for one kind are of older site files.

    The guideline for data of energy monitoring in government office and large public buildings (2008) has the letters
    A office, B shop, C hotel, D culture and education, E health, F sport, G mixed, H other.
    """

    OFFICE = "office"
    GOVERNMENT = "government"
    SERVICE_HALL = "service_hall"
    SHOP = "shop"
    HOTEL = "hotel"
    UNIVERSITY = "university"
    SCHOOL = "school"
    EDUCATION = "education"
    TEACHING = "teaching"
    LECTURE = "lecture"
    LABORATORY = "laboratory"
    LIBRARY = "library"
    MUSEUM = "museum"
    CULTURE = "culture"
    HEALTH = "health"
    HOSPITAL = "hospital"
    SPORT = "sport"
    SPORTS = "sports"
    RESIDENCE = "residence"
    RESIDENTIAL = "residential"
    CANTEEN = "canteen"
    WAREHOUSE = "warehouse"
    DATA_CENTRE = "data_centre"
    PARKING = "parking"
    MIXED = "mixed"
    OTHER = "other"
