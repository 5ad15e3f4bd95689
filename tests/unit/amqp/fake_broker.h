/*
 * fake_broker: the other end of a link, as the test writes it: a listening socket on loopback and
 * a thread that runs a script for each connection, frame by frame.
 *
 * What a script expects and does not get ends it, and is in fake_broker_fault: cmocka must not
 * be called outside the test's own thread.
 */
#ifndef SB_TEST_AMQP_FAKE_BROKER_H
#define SB_TEST_AMQP_FAKE_BROKER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bytes.h"

enum { FAKE_URL_LEN = 128, FAKE_FRAME_BYTES_MAX = 1 << 18, FAKE_WIRE_LEN = 1 << 18 };
enum { FRAME_METHOD = 1, FRAME_HEADER = 2, FRAME_BODY = 3, FRAME_HEARTBEAT = 8 };

struct fake_frame {
    uint8_t type;
    uint16_t channel;
    uint32_t method; /* of a method frame: class and method, as librabbitmq numbers them */
    uint32_t len;    /* of `at`: what stands behind the method's number */
    uint8_t at[FAKE_FRAME_BYTES_MAX];
};

/* Bytes of a frame that is being written. */
struct fake_wire {
    size_t len;
    uint8_t at[FAKE_WIRE_LEN];
};

void wire_clear(struct fake_wire *wire);
void wire_u8(struct fake_wire *wire, uint8_t value);
void wire_u16(struct fake_wire *wire, uint16_t value);
void wire_u32(struct fake_wire *wire, uint32_t value);
void wire_u64(struct fake_wire *wire, uint64_t value);
void wire_bytes(struct fake_wire *wire, const void *at, size_t len);
void wire_short(struct fake_wire *wire, const char *text); /* length in one byte */
void wire_long(struct fake_wire *wire, const char *text);  /* length in four */
/* A table: from begin, which gives what end needs, entries by wire_entry or by hand. */
size_t wire_begin_table(struct fake_wire *wire);
void wire_end_table(struct fake_wire *wire, size_t begun);
void wire_text_entry(struct fake_wire *wire, const char *name, const char *value);
void wire_long_entry(struct fake_wire *wire, const char *name, int64_t value);

struct fake_broker;

/* One connection, seen from the broker's side. */
struct fake_peer {
    int fd;
    uint32_t number;    /* of the connection at its broker, from 0 on */
    uint16_t heartbeat; /* that it asks for */
    uint32_t ready;     /* what queue.declare-ok says to wait in the queue, */
    uint32_t consumers; /* and to consume from it */
    void *arg;          /* the test's */
    struct fake_broker *broker;
    struct fake_frame frame; /* the one read last */
    struct fake_wire wire;
};

typedef void (*fake_script)(struct fake_peer *peer);

/* One connection after the other; asserts that there is a port. */
struct fake_broker *fake_broker_new(fake_script script, void *arg);
/* Cuts what is open, and joins the thread. */
void fake_broker_free(struct fake_broker *broker);

/* amqp://guest:secret@127.0.0.1:PORT/test */
void fake_broker_url(const struct fake_broker *broker, char ret[FAKE_URL_LEN]);
uint16_t fake_broker_port(const struct fake_broker *broker);

/* What went wrong in a script first, or NULL. */
const char *fake_broker_fault(const struct fake_broker *broker);

/* For scripts.  False: the script is to return. */
bool peer_fail(struct fake_peer *peer, const char *text);
bool peer_send_raw(struct fake_peer *peer, const void *at, size_t len);
bool peer_send_frame(struct fake_peer *peer, uint8_t type, uint16_t channel, const void *at,
                     size_t len);
/* A method with the peer's wire as its arguments, which is empty then. */
bool peer_send_method(struct fake_peer *peer, uint16_t channel, uint32_t method);
/* The next frame that is no heartbeat; false at the end of the connection, too. */
bool peer_read(struct fake_peer *peer);
/* The same, and answers it if it is a question of the usual kinds. */
bool peer_serve_next(struct fake_peer *peer);
/*
 * Answers questions of the usual kinds up to one of `method`; or up to a method that has no
 * answer (ack, reject, publish), which is in peer->frame then.
 */
bool peer_serve(struct fake_peer *peer, uint32_t method);
/* Protocol header, start, tune, open: up to the point where channels can be opened. */
bool peer_handshake(struct fake_peer *peer);
/* Up to start-ok: before the broker says what it thinks of the login. */
bool peer_take_login(struct fake_peer *peer);
/* Serves until the other side has said good-bye or gone. */
void peer_serve_to_the_end(struct fake_peer *peer);
/* Takes in whatever comes, without a word, until the other side has gone. */
void peer_ignore(struct fake_peer *peer);

/* connection.close (channel 0) or channel.close by the broker. */
bool peer_close(struct fake_peer *peer, uint16_t channel, uint16_t code, const char *text);
/* basic.deliver, a header without properties, the body as one frame (none if it is empty). */
bool peer_deliver(struct fake_peer *peer, uint16_t channel, uint64_t tag, const char *body);
/* The method alone. */
bool peer_deliver_method(struct fake_peer *peer, uint16_t channel, uint64_t tag);
/* A header: the wire holds a whole table of headers, or nothing: no headers then. */
bool peer_send_header(struct fake_peer *peer, uint16_t channel, uint64_t body_len);

#endif
