# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# What quickstart, check and the test commands share: packages, building, quiet steps. Sourced from the top of the tree.

# What building needs.
BUILD_PACKAGES="gcc cmake ninja-build pkg-config libc6-dev libsystemd-dev libsodium-dev libssh-dev libzip-dev libssl-dev
	zlib1g-dev libcurl4-openssl-dev libcjson-dev libseccomp-dev libunistring-dev libcmocka-dev libmicrohttpd-dev
	libgnutls28-dev"
# The real parts that the demonstration and the tests run against.
RUN_PACKAGES="python3 openssl openssh-server openssh-client zip unzip p7zip-full"
# What the tests need beyond that.
CHECK_PACKAGES="clang clang-tidy cppcheck libclang-rt-14-dev binutils git libarchive-tools util-linux zsh fish golang-go
	golang-github-varlink-go-dev exim4-daemon-light bindfs fuse3 samba smbnetfs
	systemd-container mmdebstrap iproute2 dpkg-dev file zstd strace"

# What fuzzing and its coverage need.
FUZZ_PACKAGES="clang libclang-rt-14-dev llvm-14"
# What the virtual machine of tests/system/run vm needs.
VM_PACKAGES="qemu-system-x86 e2fsprogs mmdebstrap dpkg-dev file"
# What the benchmarks compare with.
BENCH_PACKAGES="miller"

LOG=${TMPDIR:-/tmp}/patrond-build.$$.log
trap 'rm -f "$LOG"' EXIT

# Runs a command quietly; where it fails, shows what it said.
quietly() {
	local what=$1
	shift
	if ! "$@" >"$LOG" 2>&1 </dev/null; then
		tail -n 60 "$LOG" >&2
		echo "$what failed: $*" >&2
		return 1
	fi
}

# Installs the packages that are missing. Debian's package manager alone is used; it never asks.
install_packages() {
	local missing="" package
	for package in "$@"; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "^install ok installed" || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		echo "These packages are missing and only root can install them:$missing" >&2
		return 1
	fi
	echo "Installing$missing" | fold -s -w 100
	export DEBIAN_FRONTEND=noninteractive
	# A server that a package starts would listen beside the tests' own: none is started here.
	local policy=/usr/sbin/policy-rc.d made=""
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod +x $policy
		made=$policy
	fi
	local r=0
	quietly "apt-get update" apt-get -q update || r=$?
	# shellcheck disable=SC2086
	[ $r -ne 0 ] || quietly "apt-get install" apt-get -q -y --no-install-recommends install $missing || r=$?
	[ -z "$made" ] || rm -f "$made"
	return $r
}

# build PRESET [TARGET...]
build() {
	local preset=$1
	shift
	echo "Building ($preset)"
	# whatever an earlier build of this tree had switched off
	quietly "configuring" cmake --preset "$preset" -DBUILD_TESTING=ON
	if [ $# -gt 0 ]; then
		quietly "building" cmake --build "build/$preset" --target "$@"
	else
		quietly "building" cmake --build "build/$preset"
	fi
}
