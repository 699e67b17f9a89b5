# The locked packages and camerabias, on the Python that they were locked for; torch brings CUDA along, so that the
# host has to have NVIDIA's driver and container toolkit alone. Without an entry point: KubeRay starts Ray in it.
#
#   make wheel && docker build --tag camerabias:0.1.0 .
FROM python:3.11.18-slim-bookworm

# wget is how KubeRay asks a pod for its health; of which version is all the same
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends wget \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 ray

# into the system's Python, which every shell finds, login shells too; compiled now, since user 1000 cannot write there
# and every process would compile torch and Ray anew. The lock comes first: it changes seldom.
COPY requirements.lock /tmp/
RUN pip install --no-cache-dir uv==0.13.9 \
    && uv pip install --system --no-cache --compile-bytecode --require-hashes --requirement /tmp/requirements.lock
COPY dist/*.whl /tmp/
RUN uv pip install --system --no-cache --compile-bytecode --no-deps /tmp/*.whl

USER 1000
WORKDIR /home/ray
