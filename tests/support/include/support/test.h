/*
 * test: cmocka with what it needs before it, in the order that it needs.
 */
#ifndef SB_SUPPORT_TEST_H
#define SB_SUPPORT_TEST_H

// clang-format off: cmocka.h does not include what it uses
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
// clang-format on

#endif
