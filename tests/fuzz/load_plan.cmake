# SPDX-License-Identifier: GPL-3.0-or-later
patrond_fuzz_target(names SOURCES fuzz_names.c LIBS patrond_plan)
patrond_fuzz_target(barcode SOURCES fuzz_barcode.c LIBS patrond_plan)
