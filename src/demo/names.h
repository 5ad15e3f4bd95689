/*
 * names: what the demo makes on a broker that belongs to others gets names that nobody else
 * has: "orders-spanbridge-demo-1a2b3c4d".  Pictures show "orders".
 */
#ifndef SB_DEMO_NAMES_H
#define SB_DEMO_NAMES_H

#include <stdint.h>

enum { NAMES_LEN = 80 };

/* The name with the mark of a run; `run` is any number, the same for all names of the run. */
void names_make(const char *name, uint32_t run, char ret[NAMES_LEN]);

/* Takes the mark out of a text that holds such a name, in place. */
void names_shorten(char *text);

#endif
