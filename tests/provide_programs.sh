#!/usr/bin/env bash
# What some tests need besides Python packages: a browser, Go, and what the examples in
# docs/api.md call. Installed where that is possible (Debian, as root); otherwise the tests
# that need one of them skip with their reason. PostgreSQL comes as a Python package.
set -u

# Each line: the program that tells whether it is there, and the Debian packages that bring it.
needed() {
  echo "chromium-headless-shell chromium-headless-shell"
  echo "curl curl"
  echo "jq jq"
  echo "go golang-go golang-golang-x-mod-dev"
}

wanted=()
while read -r program packages; do
  command -v "$program" >/dev/null 2>&1 || wanted+=($packages)
done < <(needed)
[ ${#wanted[@]} -gt 0 ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "Not installed here, so some tests will skip: ${wanted[*]}"
  exit 0
fi
echo "Installing for the tests: ${wanted[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update >/dev/null 2>&1 || true
apt-get -qq install -y --no-install-recommends "${wanted[@]}" >/dev/null 2>&1 \
  || echo "Could not install ${wanted[*]}; the tests that need them will skip."
exit 0
