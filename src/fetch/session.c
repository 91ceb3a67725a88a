/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libssh: options, handshake, host key, log-in. */

#include "fetch/session.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fetch/stall.h"

/*
 * AES-GCM first: it is the fastest where the processor knows AES, and no truncation of the handshake (CVE-2023-48795)
 * was ever possible with it. No CBC.
 */
#define CIPHERS \
	"aes256-gcm@openssh.com,aes128-gcm@openssh.com,chacha20-poly1305@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr"

/* An encrypted key is refused: libssh without this would let OpenSSL ask on the terminal. */
static int
refuse_passphrase(const char *prompt, char *buf, size_t len, int echo, int verify, void *userdata)
{
	(void)prompt;
	(void)buf;
	(void)len;
	(void)echo;
	(void)verify;
	(void)userdata;
	return -1;
}

/* What libcrypto opens or fetches on first use, it does here, before the walls. */
static void
warm_up(void)
{
	unsigned char out[EVP_MAX_MD_SIZE];
	unsigned int size = 0;

	(void)OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG | OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL);
	(void)HMAC(EVP_sha1(), "", 0, (const unsigned char *)"", 0, out, &size);
}

static int
import_key(struct session *session, struct secret *secret, struct failure *ret_failure)
{
	int r = ssh_pki_import_privkey_base64(secret->bytes, NULL, refuse_passphrase, NULL, &session->key);

	secret_done(secret);
	return r == SSH_OK ? 0 : session_fail(ret_failure, FAILURE_SSH_KEY_UNUSABLE, 0);
}

static int
set_options(struct session *session, const struct config *config)
{
	const bool no = false;
	const int quiet = SSH_LOG_NOLOG;
	/* the stall timer comes first; this one bounds a handshake that drips */
	const long timeout = (long)(config->sftp.stall_timeout / USEC_PER_SEC) + 5;
	char algorithms[KNOWN_HOSTS_ALGORITHMS];
	const struct {
		enum ssh_options_e option;
		const void *value;
	} options[] = {
		/* no file of a user's or the system's takes part; names where libssh would ask for a home directory */
		{ SSH_OPTIONS_PROCESS_CONFIG, &no },
		{ SSH_OPTIONS_SSH_DIR, "/nonexistent" },
		{ SSH_OPTIONS_KNOWNHOSTS, "/dev/null" },
		{ SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null" },
		/* the connection is made already: this name is for libssh's own messages alone */
		{ SSH_OPTIONS_HOST, "sftp" },
		{ SSH_OPTIONS_USER, config->sftp.user },
		{ SSH_OPTIONS_LOG_VERBOSITY, &quiet },
		{ SSH_OPTIONS_TIMEOUT, &timeout },
		{ SSH_OPTIONS_CIPHERS_C_S, CIPHERS },
		{ SSH_OPTIONS_CIPHERS_S_C, CIPHERS },
		{ SSH_OPTIONS_HOSTKEYS, algorithms },
	};

	known_hosts_algorithms(session->known_hosts, session->known_hosts_size, session->name, algorithms);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (ssh_options_set(session->ssh, options[i].option, options[i].value) < 0)
			return -EINVAL;
	return 0;
}

int
session_prepare(struct session *session, const struct config *config, struct secret *secret,
    struct failure *ret_failure)
{
	int r;

	warm_up();
	r = import_key(session, secret, ret_failure);
	if (r < 0)
		return r;
	r = fd_read_file(config->sftp.known_hosts, LIMIT_KNOWN_HOSTS_SIZE, &session->known_hosts,
	    &session->known_hosts_size);
	if (r < 0)
		return session_fail(ret_failure, FAILURE_KNOWN_HOSTS, -r);
	r = known_hosts_name(config->sftp.host, config->sftp.port, session->name);
	if (r < 0)
		return session_fail(ret_failure, FAILURE_CONFIG, -r);
	session->ssh = ssh_new();
	if (session->ssh == NULL)
		return session_fail(ret_failure, FAILURE_MEMORY, 0);
	r = set_options(session, config);
	return r < 0 ? session_fail(ret_failure, FAILURE_CONFIG, -r) : 0;
}

int
session_take(struct session *session, int fd)
{
	session->fd = fd;
	session->ssh_fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (session->ssh_fd < 0)
		return -errno;
	return ssh_options_set(session->ssh, SSH_OPTIONS_FD, &session->ssh_fd) < 0 ? -EINVAL : 0;
}

/* The server's key as the blob that known_hosts holds. Returns its size or a negative errno. */
static ssize_t
server_key(ssh_session ssh, uint8_t ret[static KNOWN_HOSTS_KEY])
{
	ssh_key key = NULL;
	char *text = NULL;
	ssize_t size = -EBADMSG;

	if (ssh_get_server_publickey(ssh, &key) != SSH_OK)
		return -EBADMSG;
	if (ssh_pki_export_pubkey_base64(key, &text) == SSH_OK && text != NULL)
		size = known_hosts_base64(text, strlen(text), ret, KNOWN_HOSTS_KEY);
	ssh_string_free_char(text);
	ssh_key_free(key);
	return size;
}

/* Returns 0 for an accepted key and for nothing else. */
static int
judge_server(struct session *session, struct failure *ret_failure)
{
	static const enum failure_code failures[] = {
		[KNOWN_HOSTS_UNKNOWN] = FAILURE_HOST_KEY_UNKNOWN,
		[KNOWN_HOSTS_CHANGED] = FAILURE_HOST_KEY_CHANGED,
		[KNOWN_HOSTS_REVOKED] = FAILURE_HOST_KEY_REVOKED,
		[KNOWN_HOSTS_BAD_LINE] = FAILURE_KNOWN_HOSTS,
		[KNOWN_HOSTS_EMPTY] = FAILURE_KNOWN_HOSTS,
	};
	uint8_t key[KNOWN_HOSTS_KEY];
	unsigned int line = 0;
	ssize_t size = server_key(session->ssh, key);
	int verdict;

	if (size < 0)
		return session_fail(ret_failure, FAILURE_SSH, SSH_FATAL);
	verdict = known_hosts_check(session->known_hosts, session->known_hosts_size, session->name, key, (size_t)size,
	    &line);
	if (verdict == KNOWN_HOSTS_ACCEPTED)
		return 0;
	if (verdict < 0 || (size_t)verdict >= sizeof(failures) / sizeof(failures[0]))
		return session_fail(ret_failure, FAILURE_INTERNAL, EIO);
	(void)session_fail(ret_failure, failures[verdict], verdict == KNOWN_HOSTS_BAD_LINE ? EBADMSG :
	    verdict == KNOWN_HOSTS_EMPTY ? ENODATA : 0);
	ret_failure->column = line;
	return -EREMOTEIO;
}

static int
log_in(struct session *session, struct failure *ret_failure)
{
	int r = ssh_userauth_publickey(session->ssh, NULL, session->key);

	ssh_key_free(session->key);
	session->key = NULL;
	if (r == SSH_AUTH_SUCCESS)
		return 0;
	/* partial: the server wants a password or a code as well, and nobody is here to type one */
	if (r == SSH_AUTH_DENIED || r == SSH_AUTH_PARTIAL)
		return session_fail(ret_failure, FAILURE_AUTH_REFUSED, r);
	return session_failure(session, FAILURE_SSH, ret_failure);
}

int
session_open(struct session *session, struct failure *ret_failure)
{
	int r;

	stall_progress();
	session->ssh_fd = -EBADF; /* libssh's from here on */
	if (ssh_connect(session->ssh) != SSH_OK) {
		if (stall_happened())
			return session_fail(ret_failure, FAILURE_TRANSFER_STALLED, 0);
		return session_fail(ret_failure, FAILURE_SSH, ssh_get_error_code(session->ssh));
	}
	r = judge_server(session, ret_failure);
	if (r < 0)
		return r;
	stall_progress();
	r = log_in(session, ret_failure);
	if (r < 0)
		return r;
	stall_progress();
	session->sftp = sftp_new(session->ssh);
	if (session->sftp == NULL || sftp_init(session->sftp) != SSH_OK)
		return session_failure(session, FAILURE_SSH, ret_failure);
	stall_rest();
	return 0;
}

int
session_failure(const struct session *session, enum failure_code code, struct failure *ret_failure)
{
	int status = session->sftp != NULL ? sftp_get_error(session->sftp) : SSH_FX_OK;

	if (stall_happened())
		return session_fail(ret_failure, FAILURE_TRANSFER_STALLED, 0);
	if (!ssh_is_connected(session->ssh) || (ssh_get_status(session->ssh) & (SSH_CLOSED | SSH_CLOSED_ERROR)) != 0)
		return session_fail(ret_failure, FAILURE_TRANSFER_BROKEN, 0);
	if (session->sftp == NULL)
		return session_fail(ret_failure, code, ssh_get_error_code(session->ssh));
	/* Behind a living sshd the SFTP server is gone: libssh calls a request that cannot be sent any more refused. */
	if (ssh_channel_is_eof(session->sftp->channel) || ssh_channel_is_closed(session->sftp->channel))
		return session_fail(ret_failure, FAILURE_TRANSFER_BROKEN, status);
	/* A status that the server sent is a refused request to libssh, but for one within a folder's listing. */
	if (ssh_get_error_code(session->ssh) != SSH_REQUEST_DENIED && code != FAILURE_REMOTE_FOLDER)
		return session_fail(ret_failure, FAILURE_TRANSFER_BROKEN, status);
	/*
	 * Where the connection breaks the status stays what it was: none, or the end of an earlier listing. An SFTP
	 * server that dies behind a living sshd shows as EOF too.
	 */
	if (status == SSH_FX_OK || status == SSH_FX_EOF || status == SSH_FX_BAD_MESSAGE ||
	    status == SSH_FX_NO_CONNECTION || status == SSH_FX_CONNECTION_LOST)
		return session_fail(ret_failure, FAILURE_TRANSFER_BROKEN, status);
	return session_fail(ret_failure, code, status);
}

void
session_done(struct session *session)
{
	stall_progress(); /* logging off must not hang either */
	if (session->sftp != NULL)
		sftp_free(session->sftp);
	if (session->ssh != NULL) {
		int fd = session->ssh_fd < 0 ? ssh_get_fd(session->ssh) : -EBADF;

		ssh_disconnect(session->ssh); /* does not close a descriptor that it was given */
		(void)fd_close(fd);
		ssh_free(session->ssh);
	}
	ssh_key_free(session->key);
	stall_rest();
	(void)fd_close(session->ssh_fd);
	(void)fd_close(session->fd);
	free(session->known_hosts);
	*session = SESSION_INIT;
}
