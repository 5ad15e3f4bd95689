#include "decide/decide.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/assert.h"
#include "core/memory.h"
#include "match.h"
#include "otlp/value.h"
#include "probabilistic.h"

struct policy {
    enum decide_type type;
    uint8_t statuses;
    bool invert;
    uint64_t threshold_ns;
    uint64_t upper_threshold_ns;
    struct matcher *matcher; /* STRING_ATTRIBUTE; owned */
    struct probabilistic probabilistic;
    char *name; /* owned */
};

/* The policies that look at one attribute key. */
struct key_users {
    uint64_t policies; /* bits */
};

struct decide {
    struct policy policies[DECIDE_POLICIES_MAX];
    uint32_t policy_count;
    struct key_users *keys; /* by key id; keys that were added later have no users */
    uint32_t key_count;
};

struct decide_worker {
    const struct decide *decide;
    struct match_scratch *scratch;
    uint64_t match_errors;
};

_Static_assert(DECIDE_POLICIES_MAX <= 64, "a policy is a bit of decide_facts.matches");

/* What is wrong with a policy that no compiler needs to see; NULL: nothing. */
static const char *find_fault(const struct decide_policy *policy)
{
    switch (policy->type) {
    case DECIDE_ALWAYS_SAMPLE:
        return NULL;
    case DECIDE_STATUS_CODE:
        return (policy->statuses & 7U) == 0 ? "no status code is listed" : NULL;
    case DECIDE_LATENCY:
        if (policy->upper_threshold_ns != 0 &&
            policy->upper_threshold_ns < policy->threshold_ns)
            return "the upper threshold is below the lower one";
        return NULL;
    case DECIDE_STRING_ATTRIBUTE:
        return policy->key == NULL || policy->key[0] == '\0' ? "no attribute key" : NULL;
    case DECIDE_PROBABILISTIC:
        return isnan(policy->percentage) ? "the percentage is not a number" : NULL;
    }
    return "unknown type";
}

/* Makes policy `index` one of the users of its attribute key. */
static enum sb_err add_key(struct decide *decide, struct otlp_keys *keys, const char *key,
                           uint32_t index)
{
    uint16_t id;
    enum sb_err err = otlp_keys_add(keys, bytes_text(key), &id);
    if (err != SB_OK)
        return err;
    if (id >= decide->key_count) {
        uint32_t count = (uint32_t)id + 1;
        struct key_users *grown = memory_realloc(decide->keys, count, sizeof(*grown));
        if (grown == NULL)
            return SB_ERR_MEMORY;
        memset(grown + decide->key_count, 0, (count - decide->key_count) * sizeof(*grown));
        decide->keys = grown;
        decide->key_count = count;
    }
    decide->keys[id].policies |= UINT64_C(1) << index;
    return SB_OK;
}

static enum sb_err compile_policy(struct decide *decide, const struct decide_policy *from,
                                  struct otlp_keys *keys, char why[DECIDE_WHY_LEN])
{
    uint32_t index = decide->policy_count;
    const char *fault = find_fault(from);
    if (fault != NULL) {
        (void)snprintf(why, DECIDE_WHY_LEN, "%s", fault);
        return SB_ERR_CONFIG;
    }
    /* Counted first: whatever it comes to own, decide_free frees. */
    struct policy *policy = &decide->policies[decide->policy_count++];
    policy->type = from->type;
    policy->statuses = from->statuses;
    policy->invert = from->invert;
    policy->threshold_ns = from->threshold_ns;
    policy->upper_threshold_ns = from->upper_threshold_ns;
    policy->name = memory_copy_text(from->name == NULL ? "" : from->name);
    if (policy->name == NULL)
        return SB_ERR_MEMORY;
    if (from->type == DECIDE_PROBABILISTIC)
        policy->probabilistic = probabilistic_init(from->percentage, from->hash_salt);
    if (from->type != DECIDE_STRING_ATTRIBUTE)
        return SB_OK;
    struct match_options options = {
        .values = from->values, .value_count = from->value_count, .regex = from->regex};
    enum sb_err err = match_new(&options, &policy->matcher, why, DECIDE_WHY_LEN);
    return err == SB_OK ? add_key(decide, keys, from->key, index) : err;
}

static enum sb_err compile_all(const struct decide_options *options, struct otlp_keys *keys,
                               struct decide *decide, uint32_t *ret_policy,
                               char why[DECIDE_WHY_LEN])
{
    if (options->policy_count == 0 || options->policy_count > DECIDE_POLICIES_MAX) {
        *ret_policy = options->policy_count;
        (void)snprintf(why, DECIDE_WHY_LEN, "%u policies: 1 to %d are possible",
                       options->policy_count, DECIDE_POLICIES_MAX);
        return SB_ERR_CONFIG;
    }
    for (uint32_t i = 0; i < options->policy_count; i++) {
        enum sb_err err = compile_policy(decide, &options->policies[i], keys, why);
        if (err == SB_ERR_CONFIG)
            *ret_policy = i;
        if (err != SB_OK)
            return err;
    }
    return SB_OK;
}

enum sb_err decide_new(const struct decide_options *options, struct otlp_keys *keys,
                       struct decide **ret, uint32_t *ret_policy, char why[DECIDE_WHY_LEN])
{
    struct decide *decide = memory_zalloc(1, sizeof(*decide));
    if (decide == NULL)
        return SB_ERR_MEMORY;
    enum sb_err err = compile_all(options, keys, decide, ret_policy, why);
    if (err != SB_OK) {
        decide_free(decide);
        return err;
    }
    *ret = decide;
    return SB_OK;
}

void decide_free(struct decide *decide)
{
    if (decide == NULL)
        return;
    for (uint32_t i = 0; i < decide->policy_count; i++) {
        match_free(decide->policies[i].matcher);
        memory_free(decide->policies[i].name);
    }
    memory_free(decide->keys);
    memory_free(decide);
}

const char *decide_policy_name(const struct decide *decide, uint16_t policy)
{
    if (policy == DECIDE_NO_POLICY)
        return "no_policy";
    SB_ASSERT(policy < decide->policy_count);
    return decide->policies[policy].name;
}

enum sb_err decide_worker_new(const struct decide *decide, struct decide_worker **ret)
{
    struct decide_worker *worker = memory_zalloc(1, sizeof(*worker));
    if (worker == NULL)
        return SB_ERR_MEMORY;
    worker->decide = decide;
    enum sb_err err = match_scratch_new(&worker->scratch);
    if (err != SB_OK) {
        memory_free(worker);
        return err;
    }
    *ret = worker;
    return SB_OK;
}

void decide_worker_free(struct decide_worker *worker)
{
    if (worker == NULL)
        return;
    match_scratch_free(worker->scratch);
    memory_free(worker);
}

uint64_t decide_worker_match_errors(const struct decide_worker *worker)
{
    return worker->match_errors;
}

/* Does the value set the policy's bit?  A failed match must not make the policy keep. */
static bool sets_bit(struct decide_worker *worker, const struct policy *policy,
                     struct bytes value)
{
    switch (match_value(policy->matcher, worker->scratch, value)) {
    case MATCH_NO:
        return false;
    case MATCH_YES:
        return true;
    case MATCH_ERROR:
        break;
    }
    worker->match_errors++;
    return policy->invert;
}

static uint64_t match_hit(struct decide_worker *worker, uint64_t users, struct bytes encoded,
                          bool of_resource)
{
    struct otlp_value value = otlp_value_read(encoded);
    if (value.type != OTLP_VALUE_STRING || (value.bytes.len == 0 && !of_resource))
        return 0;
    uint64_t matches = 0;
    while (users != 0) {
        uint32_t index = (uint32_t)__builtin_ctzll(users);
        uint64_t bit = users & -users;
        if (sets_bit(worker, &worker->decide->policies[index], value.bytes))
            matches |= bit;
        users ^= bit;
    }
    return matches;
}

uint64_t decide_match(struct decide_worker *worker, const struct otlp_hit *hits, uint32_t count,
                      bool of_resource)
{
    const struct decide *decide = worker->decide;
    uint64_t matches = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (hits[i].key >= decide->key_count)
            continue;
        uint64_t users = decide->keys[hits[i].key].policies & ~matches;
        if (users != 0)
            matches |= match_hit(worker, users, hits[i].value, of_resource);
    }
    return matches;
}

static bool is_slow(const struct policy *policy, const struct decide_facts *facts)
{
    if (facts->latest_end_ns < facts->earliest_start_ns)
        return false;
    uint64_t duration_ns = facts->latest_end_ns - facts->earliest_start_ns;
    return duration_ns > policy->threshold_ns &&
           (policy->upper_threshold_ns == 0 || duration_ns <= policy->upper_threshold_ns);
}

static bool keeps(const struct policy *policy, uint32_t index, struct trace_id trace_id,
                  const struct decide_facts *facts)
{
    switch (policy->type) {
    case DECIDE_ALWAYS_SAMPLE:
        return true;
    case DECIDE_STATUS_CODE:
        return (facts->statuses & policy->statuses) != 0;
    case DECIDE_LATENCY:
        return is_slow(policy, facts);
    case DECIDE_STRING_ATTRIBUTE:
        return ((facts->matches >> index & 1) != 0) != policy->invert;
    case DECIDE_PROBABILISTIC:
        return probabilistic_keeps(&policy->probabilistic, trace_id);
    }
    return false;
}

struct decide_verdict decide_verdict(struct decide_worker *worker, struct trace_id trace_id,
                                     const struct decide_facts *facts)
{
    const struct decide *decide = worker->decide;
    for (uint32_t i = 0; i < decide->policy_count; i++) {
        if (keeps(&decide->policies[i], i, trace_id, facts))
            return (struct decide_verdict){.keep = true, .policy = (uint16_t)i};
    }
    return (struct decide_verdict){.keep = false, .policy = DECIDE_NO_POLICY};
}
