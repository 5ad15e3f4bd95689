/*
 * number: whether a word that stands where a value should is a number or a boolean that all
 * versions of libconfig read alike, and what is wrong with it otherwise.
 */
#ifndef SB_CONFIG_NUMBER_H
#define SB_CONFIG_NUMBER_H

#include "core/bytes.h"

enum number_kind {
    NUMBER_INTEGER, /* at most 31 bits */
    NUMBER_LONG,    /* ends with L */
    NUMBER_FLOAT,
    NUMBER_BOOLEAN,
    NUMBER_BAD
};

struct number_fault {
    bool numeric; /* it begins like a number, so it is no secret */
    char text[192];
    char help[192];
};

/* *ret_fault is filled in for NUMBER_BAD alone. */
enum number_kind number_classify(struct bytes word, struct number_fault *ret_fault);

/* True where a name says that its value must not be shown: password, secret, token... */
bool name_is_secret(struct bytes name);

#endif
