/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_PUT_AWAY_H
#define SUPERVISOR_PUT_AWAY_H

/* What becomes of the feeds on the share once they are loaded, as [share] after_load says. */

struct look;

/*
 * Has the next feed put away, from look->at on, and calls look_put_away_over when there is none left. A feed is put away
 * only when its content was loaded whole: what is due, held, refused or superseded stays.
 */
void put_away_next(struct look *look);

#endif
