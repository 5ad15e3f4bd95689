/*
 * control: the control thread's part: signals, the source's events, the end of the run.
 * Private to the app room.
 */
#ifndef SB_APP_CONTROL_H
#define SB_APP_CONTROL_H

#include "state.h"

struct source_events control_source_events(struct app *app);

#endif
