#include "config/suggest.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

/* Longer words are compared by their beginning. */
enum { WORD_MAX = 48 };

static char fold(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    if (c == '-' || c == '.' || c == ' ')
        return '_';
    return c;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: Damerau-Levenshtein in which no part is edited twice. */
unsigned suggest_distance(const char *a, const char *b)
{
    unsigned rows[3][WORD_MAX + 1];
    unsigned *before = rows[0];
    unsigned *last = rows[1];
    unsigned *row = rows[2];
    unsigned a_len = (unsigned)strnlen(a, WORD_MAX);
    unsigned b_len = (unsigned)strnlen(b, WORD_MAX);
    for (unsigned j = 0; j <= b_len; j++)
        last[j] = j;
    for (unsigned i = 1; i <= a_len; i++) {
        row[0] = i;
        for (unsigned j = 1; j <= b_len; j++) {
            char x = fold(a[i - 1]);
            char y = fold(b[j - 1]);
            row[j] = least(least(row[j - 1], last[j]) + 1, last[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == fold(b[j - 2]) && y == fold(a[i - 2]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        unsigned *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[b_len];
}

void suggest_init(struct suggest *suggest, const char *word)
{
    *suggest = (struct suggest){.word = word, .best_cost = UINT_MAX};
}

/* "json" for "otlp_json" and the other way round; short words are in everything. */
static bool one_holds_other(const char *a, const char *b)
{
    return strlen(a) >= 4 && strlen(b) >= 4 &&
           (strcasestr(a, b) != NULL || strcasestr(b, a) != NULL);
}

void suggest_offer(struct suggest *suggest, const char *candidate)
{
    unsigned distance = suggest_distance(suggest->word, candidate);
    unsigned len = (unsigned)strnlen(suggest->word, WORD_MAX);
    unsigned limit = len / 3 > 1 ? len / 3 : 1;
    if (distance > limit && !one_holds_other(suggest->word, candidate))
        return;
    if (distance > limit)
        distance += SUGGEST_FAR;
    /* Of two equally near ones, the one that begins alike. */
    unsigned cost = distance * 2 + (fold(suggest->word[0]) != fold(candidate[0]));
    if (cost < suggest->best_cost) {
        suggest->best = candidate;
        suggest->best_cost = cost;
    }
}
