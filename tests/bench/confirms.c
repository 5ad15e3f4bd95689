#include "confirms.h"

bool confirms_take(struct confirms *confirms, uint64_t tag, bool multiple)
{
    if (tag > confirms->sent || tag <= confirms->done ||
        confirms->confirmed[tag % CONFIRMS_MAX])
        return false;
    confirms->confirmed[tag % CONFIRMS_MAX] = true;
    if (multiple)
        confirms->done = tag;
    while (confirms->done < confirms->sent &&
           confirms->confirmed[(confirms->done + 1) % CONFIRMS_MAX])
        confirms->done++;
    return true;
}
