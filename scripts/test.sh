#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Everything: installs what is missing, builds, and runs the whole suite, sanitizers and cross builds among it.
# Closes with ctest's summary. For a quick run while developing: ctest --preset fast
set -eu
cd "$(dirname "$0")/.."
scripts/setup.sh --peers
cmake --preset release
cmake --build --preset release --parallel "$(nproc)"
ctest --preset release "$@"
