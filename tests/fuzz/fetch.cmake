# SPDX-License-Identifier: GPL-3.0-or-later
patrond_fuzz_target(known_hosts SOURCES fuzz_known_hosts.c LIBS patrond_fetch_core)
