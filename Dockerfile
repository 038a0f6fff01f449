# syntax=docker/dockerfile:1
# posediff with everything that it can use, MMPose included. docs/installation.md says how to run it.
#   docker build -t posediff .                               for the CPU
#   docker build -t posediff:cuda --build-arg DEVICE=cuda .  for NVIDIA GPUs
# BuildKit keeps pip's cache between builds, so MMCV is compiled once.
ARG DEVICE=cpu

FROM python:3.11-slim-bookworm AS build-cpu
# builds of torch and torchvision for the CPU; those of PyPI are for CUDA and some GB larger
ENV PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends build-essential \
    && rm -rf /var/lib/apt/lists/*

FROM nvidia/cuda:13.0.1-devel-ubuntu24.04 AS build-cuda
# there is no GPU during the build: FORCE_CUDA compiles MMCV's CUDA ops all the same, for these architectures
ARG TORCH_CUDA_ARCH_LIST="8.0;8.6;8.9;9.0+PTX"
ENV FORCE_CUDA=1 TORCH_CUDA_ARCH_LIST=${TORCH_CUDA_ARCH_LIST}
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends build-essential python3 python3-dev python3-venv \
    && rm -rf /var/lib/apt/lists/*

# hadolint ignore=DL3006
FROM build-${DEVICE} AS build
RUN python3 -m venv /opt/posediff
ENV PATH=/opt/posediff/bin:$PATH
COPY . /source
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --upgrade -c /source/constraints.txt pip setuptools wheel \
    && pip install --no-build-isolation -c /source/constraints.txt "/source[demo,hub,keypoint-files,tracking,export]"
RUN --mount=type=cache,target=/root/.cache/pip posediff setup openmmlab

FROM python:3.11-slim-bookworm AS run-cpu

FROM nvidia/cuda:13.0.1-base-ubuntu24.04 AS run-cuda
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 \
    && rm -rf /var/lib/apt/lists/*

# hadolint ignore=DL3006
FROM run-${DEVICE}
COPY --from=build /opt/posediff /opt/posediff
# caches and matplotlib's settings have to be writable whoever runs the image
ENV PATH=/opt/posediff/bin:$PATH HOME=/tmp
WORKDIR /data
RUN posediff doctor
ENTRYPOINT ["posediff"]
CMD ["--help"]
