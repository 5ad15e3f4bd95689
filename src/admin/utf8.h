/*
 * utf8: texts from files and brokers, fit for formats that must be UTF-8.
 */
#ifndef SB_ADMIN_UTF8_H
#define SB_ADMIN_UTF8_H

#include <stdint.h>

/*
 * The length of the well-formed character at `at` (Unicode 15, table 3-7), which ends with NUL;
 * 0: malformed.
 */
unsigned utf8_length(const uint8_t *at);

#endif
