# Images of Meterhouse: "server" (ingest, analytics, console and their preparation) and "edge" (an agent alone).
# Each RUN line calls a script that CI runs in a fresh environment; nothing but the wheel and the locks goes in.
FROM python:3.11.13-slim-bookworm@sha256:86adf8dbadc3d6e82ee5dd2c74bec2e1c2467cdad47886280501df722372d2e1 AS wheel
COPY . /src
WORKDIR /src
RUN deploy/image/build_wheel.sh /wheel

FROM python:3.11.13-slim-bookworm@sha256:86adf8dbadc3d6e82ee5dd2c74bec2e1c2467cdad47886280501df722372d2e1 AS edge
COPY --from=wheel /wheel /wheel
COPY requirements/edge.txt deploy/image/install.sh /install/
RUN /install/install.sh /install/edge.txt /wheel /opt/meterhouse
COPY deploy/image/account.sh /install/
RUN /install/account.sh /var/lib/meterhouse-edge
ENV PATH=/opt/meterhouse/bin:$PATH PYTHONDONTWRITEBYTECODE=1 METERHOUSE_DATA=/var/lib/meterhouse-edge
USER 10001:10001
CMD ["meterhouse", "edge"]

FROM python:3.11.13-slim-bookworm@sha256:86adf8dbadc3d6e82ee5dd2c74bec2e1c2467cdad47886280501df722372d2e1 AS server
COPY --from=wheel /wheel /wheel
COPY requirements/server.txt deploy/image/install.sh /install/
RUN /install/install.sh /install/server.txt /wheel /opt/meterhouse
COPY deploy/image/account.sh /install/
RUN /install/account.sh /var/lib/meterhouse /var/lib/meterhouse/broker /var/lib/meterhouse-grafana /var/lib/meterhouse-dashboards /var/lib/meterhouse-postgres /var/lib/meterhouse-backups
COPY deploy/image/prepare.sh deploy/image/secret.sh /opt/meterhouse/image/
ENV PATH=/opt/meterhouse/bin:$PATH PYTHONDONTWRITEBYTECODE=1 METERHOUSE_DATA=/var/lib/meterhouse
USER 10001:10001
CMD ["meterhouse", "console"]
