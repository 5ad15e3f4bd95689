/*
 * assert: SB_ASSERT stays on in release builds.  It states what can only be false through a
 * fault of ours, never what input may break.
 */
#ifndef SB_CORE_ASSERT_H
#define SB_CORE_ASSERT_H

#define SB_ASSERT(condition)                                                                   \
    do {                                                                                       \
        if (__builtin_expect(!(condition), 0))                                                 \
            sb_assert_failed(#condition, __FILE__, __LINE__);                                  \
    } while (0)

/* Writes one line to stderr and aborts. */
_Noreturn void sb_assert_failed(const char *condition, const char *file, int line);

#endif
