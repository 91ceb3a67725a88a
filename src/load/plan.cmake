# SPDX-License-Identifier: GPL-3.0-or-later
# The pure half of patrond-load: from patrons and records to the plan and the bodies, without any input or output.
add_library(patrond_plan STATIC arena.c body.c cleanup.c confirm.c fold.c groups.c guards.c index.c index_table.c names.c plan.c rows.c)
target_link_libraries(patrond_plan PUBLIC patrond_common PRIVATE PkgConfig::SODIUM ${UNISTRING_LIBRARY})
