#include <string.h>

#include "blank.h"
#include "spanbridge/context.h"

/* Level 2 of the specification, which allows all that level 1 does. */
enum {
    KEY_LEN_MAX = 256,
    VALUE_LEN_MAX = 256,
    LONG_MEMBER_LEN = 128 /* longer members go first when a list has to be cut */
};

static bool is_between(char c, char first, char last)
{
    return (uint8_t)(c - first) <= (uint8_t)(last - first);
}

static bool starts_key(char c)
{
    return is_between(c, 'a', 'z') || is_between(c, '0', '9');
}

static bool continues_key(char c)
{
    return starts_key(c) || c == '_' || c == '-' || c == '*' || c == '/' || c == '@';
}

static bool key_is_valid(const char *key, size_t len)
{
    if (len == 0 || len > KEY_LEN_MAX || !starts_key(key[0]))
        return false;
    for (size_t i = 1; i < len; i++) {
        if (!continues_key(key[i]))
            return false;
    }
    return true;
}

/*
 * Whether all are 0x20 to 0x7e, eight at a time, since values are most of a list: the high bit
 * of a byte is set by subtracting 0x20 from less, by adding 1 to 0x7f, or from the start.  A
 * borrow or carry into the next byte comes only from one that is bad already.
 */
static bool is_printable(const char *at, size_t len)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t bad = 0;
    for (; len >= sizeof(bad); at += sizeof(bad), len -= sizeof(bad)) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        bad |= (word - 0x20 * ones) | (word + ones) | word;
    }
    for (; len > 0; at++, len--) {
        uint64_t byte = (uint8_t)*at;
        bad |= (byte - 0x20) | (byte + 1) | byte;
    }
    return (bad & 0x80 * ones) == 0;
}

/* Its end is never blank: members come without outer blanks.  Nor is there a comma in it. */
static bool value_is_valid(const char *value, size_t len)
{
    return len > 0 && len <= VALUE_LEN_MAX && memchr(value, '=', len) == NULL &&
           is_printable(value, len);
}

/* The next member without outer blanks and not empty, as it lies in the text. */
static bool next_part(const char *text, size_t len, size_t *at, const char **ret_part,
                      size_t *ret_len)
{
    while (*at < len) {
        const char *part = text + *at;
        const char *comma = memchr(part, ',', len - *at);
        size_t part_len = comma == NULL ? len - *at : (size_t)(comma - part);
        *at += part_len + (comma == NULL ? 0 : 1);
        blank_trim(&part, &part_len);
        if (part_len == 0)
            continue;
        *ret_part = part;
        *ret_len = part_len;
        return true;
    }
    return false;
}

/* Splits at the first equals sign; the rest of a part without one is an empty value. */
static void split_part(const char *part, size_t len, struct spanbridge_tracestate_member *ret)
{
    const char *equals = memchr(part, '=', len);
    size_t key_len = equals == NULL ? len : (size_t)(equals - part);
    size_t value_at = equals == NULL ? len : key_len + 1;
    *ret = (struct spanbridge_tracestate_member){
        .key = part, .key_len = key_len, .value = part + value_at, .value_len = len - value_at};
}

bool spanbridge_next_tracestate_member(const char *text, size_t len, size_t *at,
                                       struct spanbridge_tracestate_member *ret)
{
    const char *part;
    size_t part_len;
    if (!next_part(text, len, at, &part, &part_len))
        return false;
    split_part(part, part_len, ret);
    return true;
}

static bool is_known(const struct spanbridge_tracestate_member *members, size_t count,
                     const struct spanbridge_tracestate_member *member)
{
    for (size_t i = 0; i < count; i++) {
        if (members[i].key_len == member->key_len &&
            memcmp(members[i].key, member->key, member->key_len) == 0)
            return true;
    }
    return false;
}

enum spanbridge_result spanbridge_check_tracestate(const char *text, size_t len)
{
    struct spanbridge_tracestate_member members[SPANBRIDGE_TRACESTATE_MEMBERS_MAX];
    struct spanbridge_tracestate_member member;
    size_t count = 0;
    size_t at = 0;
    while (spanbridge_next_tracestate_member(text, len, &at, &member)) {
        if (!key_is_valid(member.key, member.key_len) ||
            !value_is_valid(member.value, member.value_len))
            return SPANBRIDGE_BAD_GRAMMAR;
        if (count == SPANBRIDGE_TRACESTATE_MEMBERS_MAX)
            return SPANBRIDGE_TOO_MANY_MEMBERS;
        if (is_known(members, count, &member))
            return SPANBRIDGE_BAD_GRAMMAR;
        members[count++] = member;
    }
    return SPANBRIDGE_OK;
}

/* A list on its way to be cut: its members in order, and which of them stay. */
struct cut {
    const char *parts[SPANBRIDGE_TRACESTATE_MEMBERS_MAX];
    size_t lens[SPANBRIDGE_TRACESTATE_MEMBERS_MAX];
    bool dropped[SPANBRIDGE_TRACESTATE_MEMBERS_MAX];
    size_t count;
    size_t total; /* length of those that stay, with a comma behind each */
};

static void cut_open(struct cut *cut, const char *text, size_t len)
{
    size_t at = 0;
    cut->count = 0;
    cut->total = 0;
    while (cut->count < SPANBRIDGE_TRACESTATE_MEMBERS_MAX &&
           next_part(text, len, &at, &cut->parts[cut->count], &cut->lens[cut->count])) {
        cut->dropped[cut->count] = false;
        cut->total += cut->lens[cut->count] + 1;
        cut->count++;
    }
}

/* Drops members longer than `len_min` from the right until the list fits. */
static void cut_to(struct cut *cut, size_t len_min, size_t len_max)
{
    for (size_t i = cut->count; i > 0 && cut->total > len_max + 1; i--) {
        if (cut->dropped[i - 1] || cut->lens[i - 1] <= len_min)
            continue;
        cut->dropped[i - 1] = true;
        cut->total -= cut->lens[i - 1] + 1;
    }
}

static size_t cut_write(const struct cut *cut, char *ret)
{
    size_t len = 0;
    for (size_t i = 0; i < cut->count; i++) {
        if (cut->dropped[i])
            continue;
        if (len > 0)
            ret[len++] = ',';
        memcpy(ret + len, cut->parts[i], cut->lens[i]);
        len += cut->lens[i];
    }
    ret[len] = '\0';
    return len;
}

size_t spanbridge_format_tracestate(const char *text, size_t len, char *ret, size_t ret_size)
{
    if (ret_size == 0)
        return 0;
    ret[0] = '\0';
    blank_trim(&text, &len);
    /* What is not a list must not reach a header: it could end that header. */
    if (spanbridge_check_tracestate(text, len) != SPANBRIDGE_OK)
        return 0;
    size_t len_max = ret_size - 1 < SPANBRIDGE_TRACESTATE_LEN_MAX
                         ? ret_size - 1
                         : (size_t)SPANBRIDGE_TRACESTATE_LEN_MAX;
    if (len <= len_max) {
        if (len > 0)
            memcpy(ret, text, len);
        ret[len] = '\0';
        return len;
    }
    struct cut cut;
    cut_open(&cut, text, len);
    cut_to(&cut, LONG_MEMBER_LEN, len_max);
    cut_to(&cut, 0, len_max);
    return cut_write(&cut, ret);
}
