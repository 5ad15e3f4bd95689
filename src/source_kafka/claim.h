/*
 * claim: the name of a static member under KIP-848, which the group may not have given free yet.
 *
 * The broker turns away who comes with a name that a member has.  At the start that member may
 * be this very instance before it was killed: until the session of the dead has ended there is
 * nothing to do but to try again.  librdkafka takes the refusal for fatal, so each try has a
 * handle of its own.  Once the group has let us in, or the session of the other must have ended,
 * a refusal means another process, and is reported as that.  Control thread.
 */
#ifndef SB_SOURCE_KAFKA_CLAIM_H
#define SB_SOURCE_KAFKA_CLAIM_H

#include "state.h"

/* The group has turned us away.  False: it is final. */
bool claim_is_tried_again(struct source_kafka *source);

/* The group has let us in. */
void claim_succeeded(struct source_kafka *source);

/* True: do not join now. */
static inline bool claim_holds_back(const struct source_kafka *source)
{
    return source->claim.state == CLAIM_REFUSED || source->claim.state == CLAIM_ASKING ||
           source->claim.state == CLAIM_WAITING;
}

/* Each turn: does what is due.  It may replace the reader of spans. */
void claim_service(struct source_kafka *source);

/* The answer to the question how long a session may last; of that event. */
void claim_take_answer(struct source_kafka *source, rd_kafka_event_t *event);

#endif
