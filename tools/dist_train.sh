#!/usr/bin/env bash
# The same as posediff dist-train: tools/dist_train.sh CONFIG GPUS [arguments of tools/train.py]
exec "${PYTHON:-python}" -m posediff dist-train "$@"
