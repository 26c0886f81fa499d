# Images of Meterhouse: "server" (ingest, analytics, console and their preparation) and "edge" (an agent alone).
# Each RUN line calls a script that CI runs in a fresh environment; nothing but the wheel and the locks goes in.
FROM python:3.11.13-slim-bookworm AS wheel
COPY . /src
WORKDIR /src
RUN deploy/image/build_wheel.sh /wheel

FROM python:3.11.13-slim-bookworm AS edge
COPY --from=wheel /wheel /wheel
COPY requirements/edge.txt deploy/image/install.sh /install/
RUN /install/install.sh /install/edge.txt /wheel /opt/meterhouse
COPY deploy/image/account.sh /install/
RUN /install/account.sh /var/lib/meterhouse-edge
ENV PATH=/opt/meterhouse/bin:$PATH PYTHONDONTWRITEBYTECODE=1 METERHOUSE_DATA=/var/lib/meterhouse-edge
USER 10001:10001
CMD ["meterhouse", "edge"]

FROM python:3.11.13-slim-bookworm AS server
COPY --from=wheel /wheel /wheel
COPY requirements/server.txt deploy/image/install.sh /install/
RUN /install/install.sh /install/server.txt /wheel /opt/meterhouse
COPY deploy/image/account.sh /install/
RUN /install/account.sh /var/lib/meterhouse /var/lib/meterhouse/broker /var/lib/meterhouse-grafana /var/lib/meterhouse-dashboards
COPY deploy/image/prepare.sh /opt/meterhouse/image/
ENV PATH=/opt/meterhouse/bin:$PATH PYTHONDONTWRITEBYTECODE=1 METERHOUSE_DATA=/var/lib/meterhouse
USER 10001:10001
CMD ["meterhouse", "console"]
