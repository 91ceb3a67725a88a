/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COMMON_DATE_H
#define COMMON_DATE_H

/* Dates of the proleptic Gregorian calendar as days since 1970-01-01. No time zone is ever asked here. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/fd.h"

#define DATE_NONE INT32_MIN
#define DATE_TEXT_SIZE sizeof("YYYY-MM-DD")

struct date {
	int year;  /* 1–9999 */
	int month; /* 1–12 */
	int day;   /* 1–31 */
};

/* Returns the days since 1970 of a real date, or DATE_NONE where there is no such day or year 1–9999. */
int32_t date_to_days(struct date date);

/* The inverse. days must come from date_to_days or be within years 1–9999. */
struct date date_from_days(int32_t days);

/* Writes YYYY-MM-DD. days as date_from_days. */
void date_format(int32_t days, char ret_text[static DATE_TEXT_SIZE]);

/*
 * Reads a date. iso: exactly YYYY-MM-DD (what Sierra sends). us: MM/DD/YYYY or M/D/YYYY. dmy: the same, day
 * before month. bare: exactly YYYYMMDD. Nothing before or after it.
 * Returns 0, or -EINVAL where it is not a real date in that form.
 */
int date_parse_iso(const char *bytes, size_t size, int32_t *ret_days) WARN_UNUSED;
int date_parse_us(const char *bytes, size_t size, int32_t *ret_days) WARN_UNUSED;
int date_parse_dmy(const char *bytes, size_t size, int32_t *ret_days) WARN_UNUSED;
int date_parse_bare(const char *bytes, size_t size, int32_t *ret_days) WARN_UNUSED;

/* Today's local date; asks the time zone once. The supervisor alone calls it. */
int32_t date_today(void);

#endif
