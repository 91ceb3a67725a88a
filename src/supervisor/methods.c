/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of methods. Who may call them the socket's mode has decided. */

#include "supervisor/methods.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "control_interface.h"
#include "supervisor/control.h"
#include "supervisor/errand.h"
#include "supervisor/journal.h"
#include "supervisor/look.h"
#include "supervisor/status.h"
#include "supervisor/view.h"

static const char service_interface[] =
    "# The Varlink service interface, which every service has.\n"
    "interface org.varlink.service\n\n"
    "method GetInfo() -> (vendor: string, product: string, version: string, url: string, interfaces: []string)\n\n"
    "method GetInterfaceDescription(interface: string) -> (description: string)\n\n"
    "error InterfaceNotFound (interface: string)\n\n"
    "error MethodNotFound (method: string)\n\n"
    "error MethodNotImplemented (method: string)\n\n"
    "error InvalidParameter (parameter: string)\n";

#define OWN(error) CONTROL_INTERFACE "." error
#define SERVICE(error) VARLINK_SERVICE "." error

/* An error with one text in it, or none. */
static int
refuse(struct control_peer *peer, const char *error, const char *key, const char *text)
{
	struct put put = { false };
	cJSON *parameters = put_new(&put);

	put_text(&put, parameters, key, text);
	parameters = put_end(&put, parameters);
	return parameters == NULL ? -ENOMEM : control_error(peer, error, parameters);
}

static int
reply(struct control_peer *peer, cJSON *parameters)
{
	return parameters == NULL ? -ENOMEM : control_reply(peer, parameters);
}

/* For the log: who asked is not told, since under the unit's walls everybody but root looks alike. */
static void __attribute__((format(printf, 2, 3)))
tell_asked(const char *load, const char *format, ...)
{
	struct entry entry;
	char text[256];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	entry_begin(&entry, 5, MESSAGE_ASKED, FEED_KIND_INVALID, load, "Asked on the control socket: %s.", text);
	entry_send(&entry);
}

/* --- org.varlink.service --- */

static int
get_info(struct control_peer *peer, const struct varlink_call *call, struct manager *manager)
{
	struct put put = { false };
	cJSON *object = put_new(&put), *list;
	static const char *const interfaces[] = { VARLINK_SERVICE, CONTROL_INTERFACE };
	const char *wrong = varlink_parameters(call, NULL, 0);

	(void)manager;
	put_text(&put, object, "vendor", "Chapel Hill Public Library");
	put_text(&put, object, "product", "patrond");
	put_text(&put, object, "version", PATROND_VERSION);
	put_text(&put, object, "url", "https://chapelhillpubliclibrary.org/");
	list = put_array(&put, object, "interfaces");
	for (size_t i = 0; i < sizeof(interfaces) / sizeof(interfaces[0]); i++) {
		cJSON *name = cJSON_CreateString(interfaces[i]);

		if (name == NULL || !cJSON_AddItemToArray(list, name)) {
			cJSON_Delete(name);
			put.failed = true;
		}
	}
	object = put_end(&put, object);
	if (wrong == NULL)
		return reply(peer, object);
	cJSON_Delete(object);
	return refuse(peer, SERVICE("InvalidParameter"), "parameter", wrong);
}

static int
get_description(struct control_peer *peer, const struct varlink_call *call, struct manager *manager)
{
	const char *interface = NULL;
	const struct varlink_parameter table[] = { { "interface", VARLINK_STRING, false, &interface } };
	const char *wrong = varlink_parameters(call, table, 1), *description;
	struct put put = { false };
	cJSON *object;

	(void)manager;
	if (wrong != NULL)
		return refuse(peer, SERVICE("InvalidParameter"), "parameter", wrong);
	description = strcmp(interface, CONTROL_INTERFACE) == 0  ? control_interface
	              : strcmp(interface, VARLINK_SERVICE) == 0 ? service_interface
	                                                        : NULL;
	if (description == NULL)
		return refuse(peer, SERVICE("InterfaceNotFound"), "interface", interface);
	object = put_new(&put);
	put_text(&put, object, "description", description);
	return reply(peer, put_end(&put, object));
}

/* --- our own --- */

static int
status(struct control_peer *peer, const struct varlink_call *call, struct manager *manager)
{
	const char *wrong = varlink_parameters(call, NULL, 0);

	return wrong != NULL ? refuse(peer, SERVICE("InvalidParameter"), "parameter", wrong) : reply(peer, view_status(manager));
}

static int
monitor(struct control_peer *peer, const struct varlink_call *call, struct manager *manager)
{
	const char *wrong = varlink_parameters(call, NULL, 0);

	if (wrong != NULL)
		return refuse(peer, SERVICE("InvalidParameter"), "parameter", wrong);
	return call->more ? control_stream(peer) : reply(peer, view_present(manager));
}

/* Returns 1 where the call was refused, since patrond stops or is at work; 0 to go on; or a negative errno. */
static int
refuse_unless_idle(struct control_peer *peer, const struct manager *manager)
{
	const struct load *load = manager->look != NULL ? look_load(manager->look) : NULL;
	int r = 0;

	if (manager->stopping)
		r = refuse(peer, OWN("Stopping"), "", NULL);
	else if (manager->look != NULL || manager->delivery != NULL)
		r = refuse(peer, OWN("Busy"), "load", load != NULL ? load_id(load) : NULL);
	else
		return 0;
	return r < 0 ? r : 1;
}

/* Begins a look and answers with its id. */
static int
look_and_reply(struct control_peer *peer, struct manager *manager, const struct look_request *request)
{
	struct put put = { false };
	cJSON *object;
	int r = manager_look(manager, request);

	if (r < 0)
		return r;
	object = put_new(&put);
	put_text(&put, object, "id", manager->look_id);
	return reply(peer, put_end(&put, object));
}

/* Returns the mask of a source, all of them for NULL, 0 for one that there is not. */
static unsigned int
sources_of(const struct manager *manager, const char *source)
{
	unsigned int all = manager_sources(manager);

	if (source == NULL)
		return all;
	if (strcmp(source, "share") == 0)
		return all & (1U << SOURCE_SHARE);
	return strcmp(source, "sftp") == 0 ? all & (1U << SOURCE_SFTP) : 0;
}

static int
run(struct control_peer *peer, const struct varlink_call *call, struct manager *manager)
{
	struct look_request request = { .sources = manager_sources(manager), .once = true };
	const char *source = NULL;
	const struct varlink_parameter table[] = {
		{ "dry_run", VARLINK_BOOL, true, &request.dry_run },
		{ "source", VARLINK_STRING, true, &source },
		{ "again", VARLINK_BOOL, true, &request.again },
	};
	const char *wrong = varlink_parameters(call, table, sizeof(table) / sizeof(table[0]));
	int r;

	request.take = sources_of(manager, source);
	if (wrong == NULL && request.take == 0)
		wrong = "source"; /* unknown, or not configured */
	if (wrong != NULL)
		return refuse(peer, SERVICE("InvalidParameter"), "parameter", wrong);
	r = refuse_unless_idle(peer, manager);
	if (r != 0)
		return r < 0 ? r : 0;
	tell_asked(NULL, "%s%s%s%s", request.dry_run ? "a dry run" : "a look", source != NULL ? " at the source " : "",
	    request.take == 1U << SOURCE_SHARE && source != NULL ? "share" : source != NULL ? "sftp" : "",
	    request.again ? ", done feeds again" : "");
	return look_and_reply(peer, manager, &request);
}

static int
cancel(struct control_peer *peer, const struct varlink_call *call, struct manager *manager)
{
	const char *wrong = varlink_parameters(call, NULL, 0);
	const struct load *load = manager->look != NULL ? look_load(manager->look) : NULL;

	if (wrong != NULL)
		return refuse(peer, SERVICE("InvalidParameter"), "parameter", wrong);
	if (manager->stopping)
		return refuse(peer, OWN("Stopping"), "", NULL);
	if (manager->look == NULL)
		return refuse(peer, OWN("NotRunning"), "", NULL);
	tell_asked(load != NULL ? load_id(load) : NULL, "to cancel what runs");
	status_set("Cancelled: finishing what is in flight.");
	look_cancel(manager->look);
	return control_reply(peer, NULL);
}

static struct content *
held_load(const struct manager *manager, const char *id)
{
	for (size_t i = 0; i < manager->memory->content_count; i++) {
		struct content *content = &manager->memory->contents[i];

		if (content->state == CONTENT_HELD && content->guard_count > 0 && strcmp(content->load_id, id) == 0)
			return content;
	}
	return NULL;
}

static int
release(struct control_peer *peer, const struct varlink_call *call, struct manager *manager)
{
	const char *id = NULL;
	const struct varlink_parameter table[] = { { "load", VARLINK_STRING, false, &id } };
	const char *wrong = varlink_parameters(call, table, 1);
	struct look_request request = { .sources = manager_sources(manager), .take = manager_sources(manager), .once = true };
	struct content *content;
	int r;

	if (wrong != NULL)
		return refuse(peer, SERVICE("InvalidParameter"), "parameter", wrong);
	r = refuse_unless_idle(peer, manager);
	if (r != 0)
		return r < 0 ? r : 0;
	content = held_load(manager, id);
	if (content == NULL)
		return refuse(peer, OWN("NoSuchLoad"), "load", id);
	memcpy(content->approved, content->guards, sizeof(content->approved));
	content->approved_count = content->guard_count;
	manager_save(manager);
	tell_asked(content->load_id, "to let load %s go", content->load_id);
	return look_and_reply(peer, manager, &request);
}

static int
reload(struct control_peer *peer, const struct varlink_call *call, struct manager *manager)
{
	const char *wrong = varlink_parameters(call, NULL, 0);
	struct config_error error;
	struct config config;
	struct put put = { false };
	cJSON *object;
	int r;

	if (wrong != NULL)
		return refuse(peer, SERVICE("InvalidParameter"), "parameter", wrong);
	if (manager->stopping)
		return refuse(peer, OWN("Stopping"), "", NULL);
	/* while something runs it is only looked at, so that what is wrong is said now */
	manager->reload = manager->look != NULL;
	r = manager->look == NULL ? manager_reload(manager, &error)
	                          : manager_read_config(manager, &config, &error);
	if (r == 0)
		return control_reply(peer, NULL);
	manager->reload = false;
	object = put_new(&put);
	put_text(&put, object, "file", error.file);
	put_number(&put, object, "line", error.line);
	put_text(&put, object, "message", error.text);
	object = put_end(&put, object);
	return object == NULL ? -ENOMEM : control_error(peer, OWN("BadConfiguration"), object);
}

/* --- dispatch --- */

static const struct {
	const char *interface, *name;
	int (*method)(struct control_peer *peer, const struct varlink_call *call, struct manager *manager);
} methods[] = {
	{ VARLINK_SERVICE, "GetInfo", get_info },
	{ VARLINK_SERVICE, "GetInterfaceDescription", get_description },
	{ CONTROL_INTERFACE, "Status", status },
	{ CONTROL_INTERFACE, "Run", run },
	{ CONTROL_INTERFACE, "Cancel", cancel },
	{ CONTROL_INTERFACE, "Release", release },
	{ CONTROL_INTERFACE, "Reload", reload },
	{ CONTROL_INTERFACE, "Monitor", monitor },
};

/* The method is none of ours: is its interface? */
static int
refuse_unknown(struct control_peer *peer, const char *method)
{
	const char *dot = strrchr(method, '.');
	char interface[256];

	if (varlink_method_of(method, VARLINK_SERVICE) != NULL || varlink_method_of(method, CONTROL_INTERFACE) != NULL)
		return refuse(peer, SERVICE("MethodNotFound"), "method", method);
	(void)snprintf(interface, sizeof(interface), "%.*s", dot != NULL ? (int)(dot - method) : 0, method);
	return refuse(peer, SERVICE("InterfaceNotFound"), "interface", interface);
}

static int
on_call(struct control_peer *peer, const struct varlink_call *call, void *userdata)
{
	if (call->upgrade)
		return refuse(peer, SERVICE("MethodNotImplemented"), "method", call->method);
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		const char *name = varlink_method_of(call->method, methods[i].interface);

		if (name != NULL && strcmp(name, methods[i].name) == 0)
			return methods[i].method(peer, call, userdata);
	}
	return refuse_unknown(peer, call->method);
}

static cJSON *
present(void *userdata)
{
	return view_present(userdata);
}

static const struct control_handler handler = { .on_call = on_call, .present = present };

/* --- life --- */

static void
on_status(void *userdata)
{
	const struct manager *manager = userdata;

	control_changed(manager->control);
}

void
methods_start(struct manager *manager)
{
	const struct control_times times = CONTROL_TIMES;
	struct entry entry;
	int fd = control_listen(manager->control_path, sizeof(manager->control_path)), r = fd;

	if (fd == -ENOENT)
		return; /* no folder for it: by hand that is so */
	if (fd >= 0)
		r = control_new(&manager->control, manager->event, fd, &times, &handler, manager);
	if (r >= 0) {
		status_set_listener(on_status, manager);
		return;
	}
	entry_begin(&entry, 3, MESSAGE_CONTROL, FEED_KIND_INVALID, NULL,
	    "The control socket cannot be opened (%s): patronctl will not reach this patrond, which loads all the same.",
	    strerrordesc_np(-r));
	entry_send(&entry);
}

void
methods_stop(struct manager *manager)
{
	status_set_listener(NULL, NULL);
	manager->control = control_free(manager->control);
	if (manager->control_path[0] != '\0')
		(void)unlink(manager->control_path);
	manager->control_path[0] = '\0';
}

void
methods_load_over(struct manager *manager, const struct load_note *note)
{
	cJSON *summary = manager->control != NULL ? view_summary(manager, note) : NULL;

	control_publish(manager->control, summary);
	cJSON_Delete(summary);
}

void
methods_look_over(struct manager *manager)
{
	cJSON *over = manager->control != NULL ? view_look_over(manager) : NULL;

	control_publish(manager->control, over);
	cJSON_Delete(over);
}
