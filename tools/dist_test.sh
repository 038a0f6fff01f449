#!/usr/bin/env bash
# The same as posediff dist-test: tools/dist_test.sh CONFIG CHECKPOINT GPUS [arguments of tools/test.py]
exec "${PYTHON:-python}" -m posediff dist-test "$@"
