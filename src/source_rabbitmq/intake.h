/*
 * intake: what comes over a feed's link, taken frame by frame.
 */
#ifndef SB_SOURCE_RABBITMQ_INTAKE_H
#define SB_SOURCE_RABBITMQ_INTAKE_H

#include "state.h"

/*
 * Reads what is there, a bounded number of frames, unless the feed holds too many bytes.
 * *ret_more: there may be more.  NULL, or why the link can not be used any more.
 */
const char *intake_read(struct feed *feed, bool *ret_more);

#endif
