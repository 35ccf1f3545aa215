# Two images: `worker` (the default) reads pages and has no TensorFlow; `training` makes models and has it.
#   docker build -t digitmill .          docker build -t digitmill-training --target training .

FROM python:3.12-slim-bookworm AS base
# opencv-python needs libGL and GLib, which slim images lack.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*
ENV PATH=/opt/digitmill/bin:$PATH \
    PYTHONUNBUFFERED=1

FROM base AS build-worker
RUN python -m venv /opt/digitmill
WORKDIR /src
COPY constraints.txt pyproject.toml README.md LICENSE NOTICE ./
COPY migrations migrations
COPY segmentation segmentation
COPY training training
COPY worker worker
RUN pip install --no-cache-dir --constraint constraints.txt '.[postgres]'

FROM build-worker AS build-training
RUN pip install --no-cache-dir --constraint constraints.txt '.[postgres,training]'

FROM base AS runtime
RUN useradd --uid 10001 --user-group --create-home --home-dir /home/digitmill digitmill
USER digitmill
WORKDIR /home/digitmill

FROM runtime AS training
COPY --from=build-training /opt/digitmill /opt/digitmill
ENTRYPOINT ["digitmill-train"]

FROM runtime AS worker
COPY --from=build-worker /opt/digitmill /opt/digitmill
ENTRYPOINT ["digitmill"]
CMD ["worker"]
