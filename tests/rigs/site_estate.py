"""An estate of two agents for a server of a site; their meters are behind a Modbus gateway of this machine."""

SITE = """\
version: 1
site: {{id: site, name: Town hall, timezone: Asia/Shanghai, currency: CNY}}
buildings: [{{id: main, name: Main}}]
agents:
  - {{id: edge-a, buses: [{{id: bus, url: "modbus+tcp://127.0.0.1:{port}"}}]}}
  - {{id: edge-b, buses: [{{id: bus, url: "modbus+tcp://127.0.0.1:{port}"}}]}}
meters:
  - {{id: ma, name: A, building: main, profile: generic/pulse-water, agent: edge-a, bus: bus, unit: 1, utility: water}}
  - {{id: mb, name: B, building: main, profile: generic/pulse-water, agent: edge-b, bus: bus, unit: 2, utility: water}}
"""


def two_agents(port: int = 1) -> str:
    return SITE.format(port=port)
