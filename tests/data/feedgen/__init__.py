# SPDX-License-Identifier: GPL-3.0-or-later
"""Synthetic feeds, patrons and what is expected of them; shares no code with patrond's own parser."""
