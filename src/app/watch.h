/*
 * watch: the admin server and what it shows.  Control thread.  Private to the app room.
 */
#ifndef SB_APP_WATCH_H
#define SB_APP_WATCH_H

#include "admin/server.h"
#include "state.h"

struct watch;

/* Listens on settings.admin.  Errors as those of admin_server_new. */
enum sb_err watch_new(struct app *app, struct watch **ret) SB_MUST_USE;
void watch_free(struct watch *watch);

#endif
