#!/usr/bin/env bash
# What some tests need besides Python packages: a browser and a PostgreSQL server.
# Installed where that is possible (Debian, as root); otherwise those tests skip with a reason.
set -u

installable() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; }
wanted=()
command -v chromium >/dev/null 2>&1 || wanted+=(chromium)
if installable && [ ${#wanted[@]} -gt 0 ]; then
  echo "Installing for the tests: ${wanted[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update >/dev/null 2>&1 || true
  apt-get -qq install -y --no-install-recommends "${wanted[@]}" >/dev/null 2>&1 \
    || echo "Could not install ${wanted[*]}; the tests that need it will skip."
fi
exit 0
