# SPDX-License-Identifier: GPL-3.0-or-later
include(load_plan.cmake OPTIONAL)
include(load_sierra.cmake OPTIONAL)
