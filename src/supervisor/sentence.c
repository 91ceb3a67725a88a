/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sentences of patrond: a table from a failure's code to words that say what to do. */

#include "supervisor/sentence.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/profile.h"
#include "supervisor/link.h"

/*
 * {program} {config} {feed} {row} {column} {line} {number} {errno} {signal} {credential} stand for the failure's own. Nothing of a feed
 * is ever quoted: a header that does not fit is told by its column's position, since without a header that text would
 * be a child's name.
 */
static const char *const sentences[FAILURE_MAX] = {
	[FAILURE_INTERNAL] = "patrond-{program} could not begin or go on ({errno}).",
	[FAILURE_PROTOCOL] = "patrond-{program} broke the protocol (frame {number}) and was cut off: suspect that it was taken over, or that its version differs from patrond's.",
	[FAILURE_STAGE_DIED] = "patrond-{program} ended in the middle of its job{signal}; it is tried again.",
	[FAILURE_STAGE_SILENT] = "patrond-{program} gave no sign of life within its time ([load] stage_timeout; for the share, its stall_timeout) and was cut off; it is tried again.",
	[FAILURE_STAGE_MISSING] = "patrond-{program} cannot be reached ({errno}): started by hand, its program must lie beside patrond or in ../libexec/patrond; under systemd, patrond-{program}.socket must be there.",
	[FAILURE_NO_WALLS] = "patrond-{program} could not enter its sandbox ({errno}) and refused to work: the kernel must have seccomp and Landlock.",
	[FAILURE_UID_ZERO] = "patrond-{program} refuses to run as root: start patrond as a system user of its own.",
	[FAILURE_CONFIG] = "patrond-{program} could not read its configuration ({errno}): {config}.",
	[FAILURE_CREDENTIAL] = "The credential {credential} cannot be used ({errno}): by hand it is the file {credential} in $CREDENTIALS_DIRECTORY, under systemd /etc/credstore/{credential}.",
	[FAILURE_WORKSPACE_FULL] = "The workspace is full: the feed does not fit into its tmpfs; give it more room (size= of the workspace, memory).",
	[FAILURE_MEMORY] = "patrond-{program} has no memory left.",
	[FAILURE_CANCELLED] = "{cancelled}",
	[FAILURE_DEADLINE] = "The load did not end within [load] deadline; what was done is reported, the rest comes with the next load.",

	[FAILURE_RESOLVE] = "The host's name cannot be resolved: see [{section}] in the configuration and the name service.",
	[FAILURE_CONNECT] = "No connection to the host of [{section}] ({errno}): is it up, and the port right?",
	[FAILURE_KNOWN_HOSTS] = "[sftp] known_hosts cannot be used ({line}{errno}): it must be readable by all and hold the server's host key, as ssh-keyscan prints it and a person has compared it.",
	[FAILURE_HOST_KEY_UNKNOWN] = "The SFTP server's host key is not in [sftp] known_hosts: get the key from the server's owner by another way, compare it, add it (a port other than 22 is written [host]:port).",
	[FAILURE_HOST_KEY_CHANGED] = "The SFTP server's host key DIFFERS from the one in [sftp] known_hosts: somebody may stand between; ask the server's owner before you change the file.",
	[FAILURE_HOST_KEY_REVOKED] = "The SFTP server showed a host key that [sftp] known_hosts marks @revoked: do not go on; ask the server's owner.",
	[FAILURE_SSH] = "The SSH connection failed before a file was seen (error {number}); it is tried again.",
	[FAILURE_SSH_KEY_UNUSABLE] = "The credential sftp-key is no usable private key: it must be an OpenSSH or PEM key without a passphrase.",
	[FAILURE_AUTH_REFUSED] = "The SFTP server refused the user or the key: is the public key of the credential sftp-key in that account's authorized_keys, and [sftp] user right?",
	[FAILURE_REMOTE_FOLDER] = "[sftp] path cannot be listed (SFTP status {number}): does the folder exist, and may the user read it?",
	[FAILURE_REMOTE_FILE] = "The feed cannot be read from the SFTP drop (SFTP status {number}): it is gone, or the user may not read it.",
	[FAILURE_TRANSFER_BROKEN] = "The connection broke in the middle of the transfer; it is tried again from the beginning.",
	[FAILURE_TRANSFER_STALLED] = "The server sent nothing within [sftp] stall_timeout; it is tried again.",
	[FAILURE_FEED_CHANGED] = "The feed changed while it was copied: its upload is still under way; it is taken when it stands still.",
	[FAILURE_FEED_TOO_LARGE] = "The feed is larger than any zip that patrond takes; is it the right file?",
	[FAILURE_LISTING_TOO_LONG] = "There are too many files in the folder of [{section}]: move old feeds away.",

	[FAILURE_NOT_A_ZIP] = "The file is not a readable zip: a broken upload, or one still under way; send it again.",
	[FAILURE_ZIP_CORRUPT] = "The zip is damaged or was tampered with; have it sent again.",
	[FAILURE_ZIP_PASSWORD] = "No password of the credential zip-password opens the zip: has the district changed it? Several lines are tried in order.",
	[FAILURE_ZIP_PLAIN] = "The zip, or a file in it, is not encrypted: it is refused, and the district must be told; delete it from where it lies.",
	[FAILURE_ZIP_ENCRYPTION] = "The zip is encrypted in a way that patrond does not read: AES-256 (7-Zip, WinZip) or ZipCrypto.",
	[FAILURE_ZIP_METHOD] = "The zip is packed by a method that patrond does not read (number {number}): deflate, or stored.",
	[FAILURE_ZIP_NAME] = "The zip holds an entry whose name leaves its folder (../, an absolute path or the like): no honest tool makes it; ask the district.",
	[FAILURE_ZIP_ENTRIES] = "The zip has too many entries.",
	[FAILURE_ZIP_SIZE] = "A file in the zip is larger, unpacked, than any feed can be.",
	[FAILURE_ZIP_RATIO] = "A file in the zip unpacks to so much that it must be a zip bomb.",
	[FAILURE_NO_FEED] = "The zip holds neither a student nor a staff feed: see pattern in [feed student] and [feed staff].",
	[FAILURE_TWO_OF_A_KIND] = "The zip holds two {feed} feeds: which one is meant cannot be told.",
	[FAILURE_FEED_EMPTY] = "The {feed} feed has no rows.",
	[FAILURE_HEADER] = "The header of the {feed} feed does not fit its profile at column {column}: a column was inserted, removed or renamed; nothing was read on.",
	[FAILURE_COLUMN_MISSING] = "The header of the {feed} feed lacks the column {missing} of its profile{unknown}; nothing was read on. Add the column's new name to the profile, or have it sent.",
	[FAILURE_JOIN_MISSING] = "The zip lacks a file that the profile joins to the feed: the one of its [join] section {number}.",
	[FAILURE_JOIN_SIZE] = "The file of the profile's [join] section {number} has more rows than any district's.",
	[FAILURE_QUOTE_OPEN] = "A quote opened at row {row} of the {feed} feed, column {column}, is never closed: the feed is cut short or broken.",
	[FAILURE_QUOTE_TEXT] = "At row {row} of the {feed} feed, column {column}, text follows a closing quote: rows could vanish in it, so the feed is refused.",
	[FAILURE_QUOTE_ROWS] = "Quotes that open in row {row} of the {feed} feed, column {column}, hold whole rows: a quote too many has swallowed them, so the feed is refused; have it sent again.",
	[FAILURE_LINE_END] = "In row {row} of the {feed} feed, column {column}, a carriage return stands without its line feed: rows could run into one another, so the feed is refused; lines must end in LF or CRLF.",
	[FAILURE_ROW_TOO_LONG] = "Row {row} of the {feed} feed is longer than any row can be.",
	[FAILURE_CELL_TOO_LONG] = "A cell of row {row} of the {feed} feed, column {column}, is longer than any cell can be.",
	[FAILURE_TOO_MANY_CELLS] = "Row {row} of the {feed} feed has more columns than any row can have.",
	[FAILURE_TOO_MANY_ROWS] = "The {feed} feed has more rows than any feed can have.",
	[FAILURE_NUL_BYTE] = "Row {row} of the {feed} feed holds a NUL byte: it is damaged, or not UTF-8 or Windows-1252.",

	[FAILURE_RECORDS] = "The rows did not pass between decode and load as they should ({number}).",
	[FAILURE_RECORDS_CUT] = "The rows ended before their trailer: decode did not get to its end.",
	[FAILURE_TLS_NAME] = "Sierra's TLS certificate is for another name than the host of [sierra] url: correct the url, or the certificate.",
	[FAILURE_TLS_CA] = "Sierra's TLS certificate has run out, or is not signed by an authority that is trusted here: name its CA in [sierra] ca_file.",
	[FAILURE_TLS] = "No TLS connection to Sierra could be made ({curl}).",
	[FAILURE_TOKEN_REFUSED] = "Sierra refused the API key (HTTP {number}): is the credential sierra-key right (key:secret), and the key enabled?",
	[FAILURE_FORBIDDEN] = "Sierra's API key lacks a role (HTTP {number}): it needs Patrons Read and Patrons Write.",
	[FAILURE_API_DISABLED] = "Sierra's API is switched off (code 117); it is tried again.",
	[FAILURE_UNAUTHORIZED] = "Sierra refused a fresh token (HTTP {number}, 401): the key may have been withdrawn, or may not update patrons.",
	[FAILURE_SIERRA_URL] = "There is no patron API at [sierra] url (HTTP {number}): it ends like /iii/sierra-api/v6.",
	[FAILURE_SIERRA_REQUEST] = "Sierra refused a request that must be right (HTTP {number}): its API may have changed.",
	[FAILURE_SIERRA_UNREACHABLE] = "Sierra cannot be reached or does not answer ({curl}): is it up, and [sierra] url right? It is tried again.",
	[FAILURE_INDEX_ANSWER] = "Sierra's list of patrons could not be read (HTTP {number}): the index would have a hole, so nothing was written.",
	[FAILURE_INDEX_ORDER] = "Sierra's list of patrons does not ascend: the index would have a hole, so nothing was written.",
	[FAILURE_INDEX_EMPTY] = "Sierra shows no patron at all: that cannot be, so nothing was written.",
	[FAILURE_INDEX_NO_BARCODES] = "Sierra shows no patron with a barcode: that cannot be, so nothing was written; may the API key read them?",
	[FAILURE_TOO_MANY_FAILURES] = "Too many writes failed one after another ([sierra] max_failures): the load was given up; what was done is reported.",

	[FAILURE_REPORT_SIZE] = "The clean-up report is larger than any report can be.",
	[FAILURE_REPORT_READ_BACK] = "The clean-up report could not be read back from its zip and was not delivered.",

	[FAILURE_SHARE_GONE] = "[share] path is not there ({errno}): is the share mounted, and shown to patrond-share where it is not below /srv/patrond (patrond --check-config)?",
	[FAILURE_SHARE_UNREADABLE] = "[share] path, or the file on it, cannot be read ({errno}): may the user read it as whom patrond-share runs?",
	[FAILURE_SHARE_READ_ONLY] = "The share is read-only, or the user as whom patrond-share runs may not write there: nothing can be delivered to it, moved on it, or removed from it.",
	[FAILURE_SHARE_FULL] = "Nothing can be written to the share: the share is full.",
	[FAILURE_SHARE_FILE] = "The file on the share cannot be read or written ({errno}).",

	[FAILURE_MAIL_UNREACHABLE] = "The mail relay of [mail] did not answer, or the connection to it broke (error {number}); it is tried again.",
	[FAILURE_MAIL_NO_TLS] = "The mail relay of [mail] offers no STARTTLS, or refused it: nothing is ever sent without TLS. Has it another port (smtps://HOST:465), or does somebody stand between?",
	[FAILURE_MAIL_TLS] = "No TLS connection to the mail relay of [mail] could be made (error {number}): it must speak TLS 1.2 or later; smtp:// begins with STARTTLS, smtps:// with TLS.",
	[FAILURE_MAIL_CERTIFICATE] = "The mail relay's TLS certificate is not accepted (OpenSSL's {number}: 10 expired, 18 to 21 signed by nobody who is trusted here, 62 for another name): see relay and ca_file in [mail].",
	[FAILURE_MAIL_AUTH] = "The mail relay refused the log-in, or wants one (SMTP {number}): see [mail] user and the credential smtp-password; PLAIN and LOGIN are spoken.",
	[FAILURE_MAIL_SENDER] = "The mail relay refused the sender (SMTP {number}): see [mail] from, and what that log-in may send as.",
	[FAILURE_MAIL_RECIPIENT] = "The mail relay refused recipient {column} of [report] recipients (SMTP {number}); those whom it took have their mail, the others are tried again.",
	[FAILURE_MAIL_TOO_LARGE] = "The report is larger than the mail relay takes (SMTP {number}): raise its limit, or set notify = notice in [mail].",
	[FAILURE_MAIL_REFUSED] = "The mail relay refused the mail (SMTP {number}); it is tried again. Some relays refuse every encrypted attachment: then set notify = notice in [mail].",
	[FAILURE_MAIL_ANSWER] = "The mail relay of [mail] did not speak SMTP as it should (error {number}); is it a mail relay?",
	[FAILURE_MAIL_REPORT] = "What was to be mailed is not an encrypted report: it was not sent. Suspect that a stage was taken over.",
	[FAILURE_MAIL_UNCLEAR] = "The connection to the mail relay broke after the whole mail was sent and before it was confirmed: it may have arrived, and is not sent again.",
};

static const char *const credentials[PROGRAM_MAX] = {
	[PROGRAM_FETCH] = "sftp-key",
	[PROGRAM_DECODE] = "zip-password",
	[PROGRAM_LOAD] = "sierra-key",
	[PROGRAM_REPORT] = "report-password",
	[PROGRAM_MAIL] = "smtp-password",
};

struct context {
	enum program program;
	const struct failure *failure;
};

static void
expand_errno(const struct context *c, char *ret, size_t size)
{
	int number = abs(c->failure->number);

	if (number == ENOKEY)
		(void)snprintf(ret, size, "missing, or empty");
	else if (number == EINVAL && c->failure->code == FAILURE_CREDENTIAL)
		(void)snprintf(ret, size, "not of its form; sierra-key is key:secret");
	else if (number > 0 && number < 134)
		(void)snprintf(ret, size, "%s", strerrordesc_np(number));
	else
		(void)snprintf(ret, size, "error %d", c->failure->number);
}

static void
expand_signal(const struct context *c, char *ret, size_t size)
{
	if (c->failure->number > 0)
		(void)snprintf(ret, size, " (signal %d)", c->failure->number);
}

static void
expand_feed(const struct context *c, char *ret, size_t size)
{
	const char *name = c->failure->feed >= 0 ? feed_kind_name(c->failure->feed) : NULL;

	const char *none = c->failure->code == FAILURE_TWO_OF_A_KIND ? "same" : "joined";

	(void)snprintf(ret, size, "%s", name != NULL ? name : none);
}

static void
expand_section(const struct context *c, char *ret, size_t size)
{
	static const char *const sections[PROGRAM_MAX] = {
		[PROGRAM_FETCH] = "sftp",
		[PROGRAM_SHARE] = "share",
		[PROGRAM_MAIL] = "mail",
	};

	(void)snprintf(ret, size, "%s", sections[c->program] != NULL ? sections[c->program] : "sierra");
}

static void
expand_program(const struct context *c, char *ret, size_t size)
{
	(void)snprintf(ret, size, "%s", link_program_name(c->program));
}

/* Which files this program reads, since the failure says no more than errno. */
static void
expand_config(const struct context *c, char *ret, size_t size)
{
	static const char *const files[PROGRAM_MAX] = {
		[PROGRAM_DECODE] = ", patrond.conf.d/*.conf or a profile",
		[PROGRAM_LOAD] = ", patrond.conf.d/*.conf or [sierra] ca_file",
		[PROGRAM_MAIL] = ", patrond.conf.d/*.conf or [mail] ca_file",
	};
	const char *more = files[c->program] != NULL ? files[c->program] : " or patrond.conf.d/*.conf";
	int number = abs(c->failure->number);

	if (number == EACCES || number == EPERM)
		(void)snprintf(ret, size, "its user may not read patrond.conf%s; patrond --check-config as root names the file, and "
		                          "chmod a+r lets it be read", more);
	else if (number == ENOENT)
		(void)snprintf(ret, size, "patrond.conf%s is not there, or [share] path is not set; see patrond --check-config",
		    more);
	else
		(void)snprintf(ret, size, "see patrond --check-config, and patrond.conf%s", more);
}

static void
expand_credential(const struct context *c, char *ret, size_t size)
{
	const char *name = credentials[c->program];

	(void)snprintf(ret, size, "%s", name != NULL ? name : "unknown");
}

static void
expand_row(const struct context *c, char *ret, size_t size)
{
	(void)snprintf(ret, size, "%u", c->failure->row);
}

static void
expand_column(const struct context *c, char *ret, size_t size)
{
	(void)snprintf(ret, size, "%u", c->failure->column);
}

/* Of a file of the administrator's; nothing where it is about the whole of it. */
static void
expand_line(const struct context *c, char *ret, size_t size)
{
	if (c->failure->column > 0)
		(void)snprintf(ret, size, "line %u, ", c->failure->column);
}

static void
expand_number(const struct context *c, char *ret, size_t size)
{
	(void)snprintf(ret, size, "%d", c->failure->number);
}

static void
expand_missing(const struct context *c, char *ret, size_t size)
{
	const char *name = profile_column_name((enum feed_column)c->failure->number);

	(void)snprintf(ret, size, "%s", name != NULL ? name : "unknown");
}

/* The one that stands there instead, perhaps: by its position alone. */
static void
expand_unknown(const struct context *c, char *ret, size_t size)
{
	if (c->failure->column > 0)
		(void)snprintf(ret, size, ", and its column %u is none of the profile's", c->failure->column);
}

/* Who stops patrond must not read of a failure; and what was broken off need not have been a load. */
static void
expand_cancelled(const struct context *c, char *ret, size_t size)
{
	static const struct {
		const char *what, *then;
	} work[PROGRAM_MAX] = {
		[PROGRAM_FETCH] = { "The look at the SFTP drop", "the next look begins anew." },
		[PROGRAM_SHARE] = { "The work on the share", "the next look begins anew." },
		[PROGRAM_MAIL] = { "The mail", "the next report is mailed." },
	};
	const char *what = work[c->program].what, *then = work[c->program].then;

	(void)snprintf(ret, size, "%s was %s; %s", what != NULL ? what : "The load",
	    c->failure->number == CANCELLED_BY_STOP ? "broken off, since patrond was stopped" : "cancelled",
	    then != NULL ? then : "what was done is reported, the rest comes with the next load.");
}

/* The common ones of libcurl's codes (CURLcode); any other number stands alone. */
static void
expand_curl(const struct context *c, char *ret, size_t size)
{
	static const struct {
		int number;
		const char *text;
	} codes[] = {
		{ 6, "its host name was not found" },
		{ 7, "the connection was refused, or found no way" },
		{ 28, "it took too long" },
		{ 35, "the TLS handshake failed" },
		{ 52, "it closed the connection without an answer" },
		{ 55, "the connection broke" },
		{ 56, "the connection broke" },
		{ 60, "its TLS certificate is not trusted" },
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].number == c->failure->number) {
			(void)snprintf(ret, size, "%s, error %d", codes[i].text, c->failure->number);
			return;
		}
	(void)snprintf(ret, size, "error %d", c->failure->number);
}

static const struct {
	const char *token;
	void (*expand)(const struct context *context, char *ret, size_t size);
} tokens[] = {
	{ "{program}", expand_program },
	{ "{feed}", expand_feed },
	{ "{row}", expand_row },
	{ "{column}", expand_column },
	{ "{line}", expand_line },
	{ "{number}", expand_number },
	{ "{errno}", expand_errno },
	{ "{signal}", expand_signal },
	{ "{section}", expand_section },
	{ "{config}", expand_config },
	{ "{credential}", expand_credential },
	{ "{missing}", expand_missing },
	{ "{unknown}", expand_unknown },
	{ "{cancelled}", expand_cancelled },
	{ "{curl}", expand_curl },
};

/* Adds text at *used, cut where the room ends. */
static void
add(char *ret, size_t size, size_t *used, const char *text, size_t length)
{
	if (length > size - 1 - *used)
		length = size - 1 - *used;
	memcpy(ret + *used, text, length);
	*used += length;
	ret[*used] = '\0';
}

void
sentence_failure(enum program program, const struct failure *failure, char *ret, size_t size)
{
	const struct context context = { program, failure };
	const char *at = failure->code > FAILURE_NONE && failure->code < FAILURE_MAX ? sentences[failure->code] : NULL;
	size_t used = 0;

	ret[0] = '\0';
	if (at == NULL)
		at = "patrond-{program} failed for a reason without a name ({number}).";
	while (*at != '\0') {
		char text[256] = "";
		size_t length = 1;
		bool token = false;

		for (size_t i = 0; *at == '{' && i < sizeof(tokens) / sizeof(tokens[0]); i++)
			if (strncmp(at, tokens[i].token, strlen(tokens[i].token)) == 0) {
				tokens[i].expand(&context, text, sizeof(text));
				length = strlen(tokens[i].token);
				token = true;
				break;
			}
		if (token)
			add(ret, size, &used, text, strlen(text));
		else
			add(ret, size, &used, at, 1);
		at += length;
	}
}

int
sentence_exit_status(const struct failure *failure)
{
	static const enum failure_code configuration[] = { FAILURE_CONFIG, FAILURE_CREDENTIAL, FAILURE_UID_ZERO };

	for (size_t i = 0; i < sizeof(configuration) / sizeof(configuration[0]); i++)
		if (failure->code == configuration[i])
			return 1;
	return 2;
}
