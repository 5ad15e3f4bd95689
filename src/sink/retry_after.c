#include "retry_after.h"

#include <stdbool.h>
#include <string.h>

#include "core/clock.h"

struct date {
    int year, month, day, hour, minute, second;
};

/*
 * Days since 1970-01-01 in the proleptic Gregorian calendar, years from March on, so that the
 * leap day is the last of its year (Hinnant, chrono-compatible low-level date algorithms).
 */
static int64_t days_of(const struct date *date)
{
    int64_t year = date->month <= 2 ? date->year - 1 : date->year;
    int64_t era = year / 400;
    int64_t year_of_era = year - era * 400;
    int64_t month_from_march = (date->month + 9) % 12;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + date->day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static bool is_in_range(const struct date *date)
{
    return date->year >= 1970 && date->year <= 9999 && date->month >= 1 && date->day >= 1 &&
           date->day <= 31 && date->hour >= 0 && date->hour <= 23 && date->minute >= 0 &&
           date->minute <= 59 && date->second >= 0 && date->second <= 60;
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* `digits` digits, the first of which may be a space where the form pads with one. */
static bool scan_number(const char **at, int digits, int *ret)
{
    int number = 0;
    for (int i = 0; i < digits; i++) {
        char c = (*at)[i];
        if (i == 0 && digits == 2 && c == ' ')
            continue;
        if (c < '0' || c > '9')
            return false;
        number = number * 10 + (c - '0');
    }
    *at += digits;
    *ret = number;
    return true;
}

static bool scan_month(const char **at, int *ret)
{
    static const char names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    for (int i = 0; i < 12; i++) {
        if (strncmp(*at, names[i], 3) == 0) {
            *at += 3;
            *ret = i + 1;
            return true;
        }
    }
    return false;
}

/* One letter of a form: see date_forms. */
static bool scan_part(char part, const char **at, struct date *date)
{
    const char *start = *at;
    switch (part) {
    case 'w':
        while (is_letter(**at))
            (*at)++;
        return *at > start;
    case 'D':
        return scan_number(at, 2, &date->day);
    case 'n':
        return scan_month(at, &date->month);
    case 'Y':
        return scan_number(at, 4, &date->year);
    case 'y': /* two digits: a date to wait for is never last century's */
        if (!scan_number(at, 2, &date->year))
            return false;
        date->year += 2000;
        return true;
    case 'h':
        return scan_number(at, 2, &date->hour);
    case 'm':
        return scan_number(at, 2, &date->minute);
    case 's':
        return scan_number(at, 2, &date->second);
    default:
        return *(*at)++ == part;
    }
}

static bool scan_date(const char *value, const char *form, struct date *ret)
{
    struct date date = {0};
    for (; *form != '\0'; form++) {
        if (*value == '\0' || !scan_part(*form, &value, &date))
            return false;
    }
    if (*value != '\0' || !is_in_range(&date))
        return false;
    *ret = date;
    return true;
}

/* w a weekday's letters, D n Y y h m s the parts of a date, others stand for themselves. */
static const char *const date_forms[] = {
    "w, D n Y h:m:s GMT", /* Sun, 06 Nov 1994 08:49:37 GMT: the form of today */
    "w, D-n-y h:m:s GMT", /* Sunday, 06-Nov-94 08:49:37 GMT: RFC 850 */
    "w n D h:m:s Y",      /* Sun Nov  6 08:49:37 1994: asctime */
};

static bool parse_date(const char *value, struct date *ret)
{
    for (size_t i = 0; i < sizeof(date_forms) / sizeof(date_forms[0]); i++) {
        if (scan_date(value, date_forms[i], ret))
            return true;
    }
    return false;
}

static uint64_t wait_until_ns(const struct date *date, uint64_t wall_now_ns)
{
    int64_t day_s = date->hour * INT64_C(3600) + date->minute * INT64_C(60) + date->second;
    int64_t at_s = days_of(date) * INT64_C(86400) + day_s;
    int64_t now_s = (int64_t)(wall_now_ns / NS_PER_S);
    if (at_s <= now_s)
        return 0;
    int64_t max_s = (int64_t)(RETRY_AFTER_MAX_NS / NS_PER_S);
    if (at_s - now_s > max_s)
        return RETRY_AFTER_MAX_NS;
    return (uint64_t)(at_s - now_s) * NS_PER_S - wall_now_ns % NS_PER_S;
}

static bool parse_seconds(const char *value, uint64_t *ret_ns)
{
    uint64_t max_s = RETRY_AFTER_MAX_NS / NS_PER_S;
    uint64_t wait_s = 0;
    for (const char *at = value; *at != '\0'; at++) {
        if (*at < '0' || *at > '9')
            return false;
        wait_s = wait_s * 10 + (uint64_t)(*at - '0');
        if (wait_s > max_s)
            wait_s = max_s + 1; /* stays above the cap, does not wrap */
    }
    *ret_ns = wait_s > max_s ? RETRY_AFTER_MAX_NS : wait_s * NS_PER_S;
    return value[0] != '\0';
}

uint64_t retry_after_ns(const char *value, uint64_t wall_now_ns)
{
    uint64_t wait_ns = 0;
    struct date date;
    if (parse_seconds(value, &wait_ns))
        return wait_ns;
    if (parse_date(value, &date))
        return wait_until_ns(&date, wall_now_ns);
    return 0;
}
