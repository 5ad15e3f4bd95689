/*
 * suggest: "did you mean": the nearest of some candidates to what was written.
 */
#ifndef SB_CONFIG_SUGGEST_H
#define SB_CONFIG_SUGGEST_H

/* Costs from here on are of words that are only part of each other. */
enum { SUGGEST_FAR = 1000 };

struct suggest {
    const char *word;
    const char *best;   /* borrowed from the candidates; NULL: none is near enough */
    unsigned best_cost; /* smaller is nearer */
};

/* `word` is borrowed. */
void suggest_init(struct suggest *suggest, const char *word);
void suggest_offer(struct suggest *suggest, const char *candidate);

/* Edits between two words: insert, delete, replace, swap neighbours; case and the kind of
 * dash do not count. */
unsigned suggest_distance(const char *a, const char *b);

#endif
