"""Detectors by name, each named for what is wrong: add one by a file here, a line in this table and its texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.detectors.balances import PueHigh, ResidualLoss
from analytics.detectors.continuous_flow import ContinuousFlow, NightFlowRise
from analytics.detectors.counter_fault import CounterFault
from analytics.detectors.door_left_open import DoorLeftOpen
from analytics.detectors.evenings import LateStop, LightsWhileArmed
from analytics.detectors.excess import BaseLoadStep, Drift, EarlyStart, NightWaste, Spike, WeekendOrHolidayWaste
from analytics.detectors.gauges import ColdChain, PhaseLoss, RoomOutOfRange
from analytics.detectors.own_record import Burst, Dropout, PeakDemand
from analytics.detectors.sensor_alarms import (
    DeviceTampered,
    GlassBroken,
    IntrusionAlarm,
    MainsLost,
    SmokeDetected,
    WaterOnFloor,
)
from analytics.detectors.silent_meter import SilentMeter
from analytics.detectors.stuck_meter import StuckMeter

if TYPE_CHECKING:
    from collections.abc import Callable

    from analytics.detectors.port import Detector

DETECTORS: dict[str, Callable[[], Detector]] = {
    "night_waste": NightWaste,
    "weekend_or_holiday_waste": WeekendOrHolidayWaste,
    "base_load_step": BaseLoadStep,
    "drift": Drift,
    "early_start": EarlyStart,
    "late_stop": LateStop,
    "spike": Spike,
    "peak_demand": PeakDemand,
    "lights_while_armed": LightsWhileArmed,
    "pue_high": PueHigh,
    "residual_loss": ResidualLoss,
    "continuous_flow": ContinuousFlow,
    "night_flow_rise": NightFlowRise,
    "burst": Burst,
    "dropout": Dropout,
    "phase_loss": PhaseLoss,
    "cold_chain": ColdChain,
    "room_out_of_range": RoomOutOfRange,
    "stuck_meter": StuckMeter,
    "counter_fault": CounterFault,
    "silent_meter": SilentMeter,
    "door_left_open": DoorLeftOpen,
    "water_on_floor": WaterOnFloor,
    "smoke_detected": SmokeDetected,
    "intrusion_alarm": IntrusionAlarm,
    "glass_broken": GlassBroken,
    "mains_lost": MainsLost,
    "device_tampered": DeviceTampered,
}
"""Every detector that runs."""
