#include "match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "core/memory.h"

/*
 * What one match may cost.  A step is a few nanoseconds, so the first bounds a match to a few
 * milliseconds; depth and heap bound the memory of the interpreter, which is used where
 * there is no just-in-time compiler.
 */
enum { STEPS_MAX = 1000000, DEPTH_MAX = 10000, HEAP_KIB_MAX = 4096 };

/* Of the just-in-time compiled code; its own default is too small for values of 64 KiB. */
enum { JIT_STACK_MIN = 32 * 1024, JIT_STACK_MAX = 4 * 1024 * 1024 };

struct matcher {
    bool regex;
    uint32_t count;
    struct bytes *values; /* exact: sorted by match_order, without duplicates; owned */
    char *text;           /* holds the values' bytes */
    pcre2_code **codes;   /* regex; owned */
};

struct match_scratch {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack; /* NULL: there is no just-in-time compiler */
};

/* By length first: most values differ in it, and then no byte is read. */
static int match_order(struct bytes a, struct bytes b)
{
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return a.len == 0 ? 0 : memcmp(a.at, b.at, a.len);
}

static int compare_values(const void *a, const void *b)
{
    return match_order(*(const struct bytes *)a, *(const struct bytes *)b);
}

static enum sb_err compile_exact(const struct match_options *options, struct matcher *matcher)
{
    size_t room = 0;
    for (uint32_t i = 0; i < options->value_count; i++)
        room += strlen(options->values[i]);
    matcher->text = memory_alloc(room);
    matcher->values = memory_zalloc(options->value_count, sizeof(*matcher->values));
    if (matcher->text == NULL || matcher->values == NULL)
        return SB_ERR_MEMORY;
    char *at = matcher->text;
    for (uint32_t i = 0; i < options->value_count; i++) {
        size_t len = strlen(options->values[i]);
        memcpy(at, options->values[i], len);
        matcher->values[i] = bytes_of(at, len);
        at += len;
    }
    qsort(matcher->values, options->value_count, sizeof(*matcher->values), compare_values);
    for (uint32_t i = 0; i < options->value_count; i++)
        if (i == 0 || !bytes_equal(matcher->values[i], matcher->values[matcher->count - 1]))
            matcher->values[matcher->count++] = matcher->values[i];
    return SB_OK;
}

static void *pcre_alloc(size_t len, void *arg)
{
    (void)arg;
    return memory_alloc(len);
}

static void pcre_free(void *at, void *arg)
{
    (void)arg;
    memory_free(at);
}

static void explain(int code, size_t offset, uint32_t value, char *why, size_t why_len)
{
    PCRE2_UCHAR text[160];
    if (pcre2_get_error_message(code, text, sizeof(text)) < 0)
        memcpy(text, "not a regular expression", sizeof("not a regular expression"));
    (void)snprintf(why, why_len, "value %u, at character %zu: %s", value + 1, offset + 1,
                   (const char *)text);
}

/* The dialect: sampling.md, Exactly. */
static enum sb_err compile_one(pcre2_compile_context *context, const char *pattern,
                               pcre2_code **ret, int *ret_error, size_t *ret_offset)
{
    uint32_t flags =
        PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, flags,
                                     ret_error, ret_offset, context);
    if (code == NULL)
        return *ret_error == PCRE2_ERROR_HEAP_FAILED ? SB_ERR_MEMORY : SB_ERR_CONFIG;
    /* Where there is no compiler, or no memory that may be executed, the interpreter does. */
    (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    *ret = code;
    return SB_OK;
}

static enum sb_err compile_regex(const struct match_options *options, struct matcher *matcher,
                                 char *why, size_t why_len)
{
    enum sb_err err = SB_ERR_MEMORY;
    pcre2_compile_context *context = NULL;
    pcre2_general_context *general = pcre2_general_context_create(pcre_alloc, pcre_free, NULL);
    if (general == NULL)
        return SB_ERR_MEMORY;
    matcher->codes = memory_zalloc(options->value_count, sizeof(pcre2_code *));
    if (matcher->codes == NULL)
        goto out;
    context = pcre2_compile_context_create(general);
    if (context == NULL)
        goto out;
    (void)pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    err = SB_OK;
    for (uint32_t i = 0; i < options->value_count && err == SB_OK; i++) {
        int error = 0;
        size_t offset = 0;
        err = compile_one(context, options->values[i], &matcher->codes[i], &error, &offset);
        if (err == SB_OK)
            matcher->count++;
        if (err == SB_ERR_CONFIG)
            explain(error, offset, i, why, why_len);
    }
out:
    pcre2_compile_context_free(context);
    pcre2_general_context_free(general);
    return err;
}

enum sb_err match_new(const struct match_options *options, struct matcher **ret, char *why,
                      size_t why_len)
{
    struct matcher *matcher = memory_zalloc(1, sizeof(*matcher));
    if (matcher == NULL)
        return SB_ERR_MEMORY;
    matcher->regex = options->regex;
    enum sb_err err = options->regex ? compile_regex(options, matcher, why, why_len)
                                     : compile_exact(options, matcher);
    if (err != SB_OK) {
        match_free(matcher);
        return err;
    }
    *ret = matcher;
    return SB_OK;
}

void match_free(struct matcher *matcher)
{
    if (matcher == NULL)
        return;
    if (matcher->codes != NULL)
        for (uint32_t i = 0; i < matcher->count; i++)
            pcre2_code_free(matcher->codes[i]);
    memory_free(matcher->codes);
    memory_free(matcher->values);
    memory_free(matcher->text);
    memory_free(matcher);
}

enum sb_err match_scratch_new(struct match_scratch **ret)
{
    struct match_scratch *scratch = memory_zalloc(1, sizeof(*scratch));
    if (scratch == NULL)
        return SB_ERR_MEMORY;
    pcre2_general_context *general = pcre2_general_context_create(pcre_alloc, pcre_free, NULL);
    if (general != NULL) {
        scratch->context = pcre2_match_context_create(general);
        /* One pair: where a match lies is of no interest. */
        scratch->data = pcre2_match_data_create(1, general);
        scratch->stack = pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, general);
        pcre2_general_context_free(general);
    }
    if (scratch->context == NULL || scratch->data == NULL) {
        match_scratch_free(scratch);
        return SB_ERR_MEMORY;
    }
    (void)pcre2_set_match_limit(scratch->context, STEPS_MAX);
    (void)pcre2_set_depth_limit(scratch->context, DEPTH_MAX);
    (void)pcre2_set_heap_limit(scratch->context, HEAP_KIB_MAX);
    if (scratch->stack != NULL)
        pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
    *ret = scratch;
    return SB_OK;
}

void match_scratch_free(struct match_scratch *scratch)
{
    if (scratch == NULL)
        return;
    pcre2_match_data_free(scratch->data);
    pcre2_match_context_free(scratch->context);
    pcre2_jit_stack_free(scratch->stack);
    memory_free(scratch);
}

static bool match_exact(const struct matcher *matcher, struct bytes value)
{
    uint32_t low = 0;
    uint32_t high = matcher->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = match_order(value, matcher->values[middle]);
        if (order == 0)
            return true;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

static enum match_result match_regex(const struct matcher *matcher,
                                     struct match_scratch *scratch, struct bytes value)
{
    bool failed = false;
    PCRE2_SPTR at = value.len == 0 ? (PCRE2_SPTR) "" : value.at;
    for (uint32_t i = 0; i < matcher->count; i++) {
        int result = pcre2_match(matcher->codes[i], at, value.len, 0, 0, scratch->data,
                                 scratch->context);
        if (result >= 0)
            return MATCH_YES;
        failed = failed || result != PCRE2_ERROR_NOMATCH;
    }
    return failed ? MATCH_ERROR : MATCH_NO;
}

enum match_result match_value(const struct matcher *matcher, struct match_scratch *scratch,
                              struct bytes value)
{
    if (matcher->regex)
        return match_regex(matcher, scratch, value);
    return match_exact(matcher, value) ? MATCH_YES : MATCH_NO;
}
