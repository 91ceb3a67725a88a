/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The state as lines of JSON. */

#include "dump.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "body.h"

enum { DUMP_CHUNK = 1 << 16 };

static double
number(const cJSON *record, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(record, name);

	return cJSON_IsNumber(item) && item->valuedouble > 0 ? item->valuedouble : 0;
}

static bool
flag(const cJSON *record, const char *name)
{
	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(record, name));
}

/* An absent instant is the time of loading. */
static bool
instant(const cJSON *record, const char *name, int64_t *ret)
{
	const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(record, name));

	*ret = time(NULL);
	if (!s)
		return true;
	if (!instant_is_valid(s))
		return false;
	*ret = instant_to_seconds(s);
	return true;
}

static const char *
fill(struct patron *p, const cJSON *record)
{
	const char *deleted_date = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(record, "deletedDate"));
	const struct apply_rules rules = { 0 };

	if (!instant(record, "createdDate", &p->created) || !instant(record, "updatedDate", &p->updated) ||
	    !instant(record, "_activityDate", &p->activity))
		return "an instant is not yyyy-MM-ddTHH:mm:ssZ";
	if (deleted_date && !date_is_valid(deleted_date))
		return "deletedDate is no date";
	p->deleted = deleted_date || flag(record, "deleted");
	if (p->deleted)
		memcpy(p->deleted_date, deleted_date ? deleted_date : "2020-01-01", sizeof(p->deleted_date));
	p->suppressed = flag(record, "suppressed");
	p->ghost = flag(record, "_ghost");
	p->revisions = (uint32_t)number(record, "_revisions");
	p->puts = (uint32_t)number(record, "_puts");
	p->posts = (uint32_t)number(record, "_posts");
	patron_apply(p, record, &rules);
	return NULL;
}

const char *
load_line(struct standin *s, const char *line, size_t n, bool replace)
{
	static char message[128];
	cJSON *record = body_parse(line, n);
	const char *bad = record ? body_check_record(record) : NULL;
	struct patron *p;

	if (!record)
		return "no JSON object";
	if (bad) {
		snprintf(message, sizeof(message), "key %s is unknown or of a wrong type", bad);
		cJSON_Delete(record);
		return message;
	}
	p = patron_new((uint64_t)number(record, "id"));
	bad = fill(p, record);
	cJSON_Delete(record);
	if (!bad && replace && p->id)
		store_drop(s->store, p->id);
	if (!bad && store_add(s->store, p) < 0)
		bad = "the id is there already";
	if (bad)
		patron_free(p);
	return bad;
}

bool
load_file(struct standin *s, const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0, number_of_line = 0;
	const char *bad = NULL;
	ssize_t n;

	if (!f) {
		fprintf(stderr, "sierra-standin: cannot open the file to load: %m\n");
		return false;
	}
	for (n = getline(&line, &cap, f); n >= 0 && !bad; n = getline(&line, &cap, f)) {
		number_of_line++;
		if (strspn(line, " \t\r\n") == (size_t)n)
			continue;
		bad = load_line(s, line, (size_t)n, false);
		if (bad)
			fprintf(stderr, "sierra-standin: line %zu of the file to load: %s\n", number_of_line, bad);
	}
	free(line);
	fclose(f);
	return !bad;
}

static void
add_instant(struct text *t, const char *name, int64_t seconds)
{
	char s[21];

	instant_from_seconds(seconds, s);
	text_addf(t, ",\"%s\":\"%s\"", name, s);
}

void
dump_patron(struct text *t, const struct patron *p)
{
	text_addf(t, "{\"id\":%llu", (unsigned long long)p->id);
	add_instant(t, "createdDate", p->created);
	add_instant(t, "updatedDate", p->updated);
	if (p->deleted)
		text_addf(t, ",\"deletedDate\":\"%s\"", p->deleted_date);
	text_addf(
	    t, ",\"deleted\":%s,\"suppressed\":%s", p->deleted ? "true" : "false", p->suppressed ? "true" : "false");
	for (int f = 0; f < FIELD_STORED_MAX; f++)
		if (p->text[f])
			text_addf(t, ",\"%s\":%s", field_name((enum field)f), p->text[f]);
	add_instant(t, "_activityDate", p->activity);
	text_addf(t, ",\"_revisions\":%u,\"_ghost\":%s,\"_puts\":%u,\"_posts\":%u}", p->revisions,
	    p->ghost ? "true" : "false", p->puts, p->posts);
}

void
dump_all(struct standin *s, void (*sink)(void *ctx, const char *data, size_t n), void *ctx)
{
	const struct patron *(*next)(struct store *, uint64_t) =
	    s->switches.dump_generated ? store_next : store_next_stored;
	struct text t = { 0 };

	for (const struct patron *p = next(s->store, 0); p; p = next(s->store, p->id + 1)) {
		dump_patron(&t, p);
		TEXT_LIT(&t, "\n");
		if (t.len >= DUMP_CHUNK) {
			sink(ctx, t.data, t.len);
			t.len = 0;
		}
	}
	if (t.len)
		sink(ctx, t.data, t.len);
	text_done(&t);
}

static void
write_out(void *ctx, const char *data, size_t n)
{
	/* A failed write leaves the stream's error flag, which dump_file looks at. */
	(void)!fwrite(data, 1, n, ctx);
}

bool
dump_file(struct standin *s, const char *path)
{
	struct text temporary = { 0 };
	bool good;
	FILE *f;

	text_addf(&temporary, "%s.tmp", path);
	f = fopen(temporary.data, "we");
	good = f != NULL;
	if (f) {
		dump_all(s, write_out, f);
		good = !ferror(f);
		good = fclose(f) == 0 && good;
	}
	good = good && rename(temporary.data, path) == 0;
	if (!good)
		fprintf(stderr, "sierra-standin: cannot write the dump: %m\n");
	text_done(&temporary);
	return good;
}
