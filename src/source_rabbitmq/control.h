/*
 * control: what the control thread does for feeds: lanes are opened and closed, troubles told.
 */
#ifndef SB_SOURCE_RABBITMQ_CONTROL_H
#define SB_SOURCE_RABBITMQ_CONTROL_H

#include "state.h"

/* Tells the events of all feeds and posters. */
void control_serve(struct source_rabbitmq *source);

#endif
