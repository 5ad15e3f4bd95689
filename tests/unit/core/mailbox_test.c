#include "core/mailbox.h"

#include <sched.h>
#include <stdlib.h>

#include "support/test.h"

enum { POSTERS = 4, PER_POSTER = 5000 };

struct letter {
    int poster;
    int number;
    struct mailbox_item item; /* not at the start: a link may be anywhere inside */
};

static struct letter *letter_of(struct mailbox_item *item)
{
    return (struct letter *)(void *)((char *)item - offsetof(struct letter, item));
}

static void test_items_come_oldest_first(void **state)
{
    (void)state;
    struct mailbox box;
    struct letter letters[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
    mailbox_init(&box);
    assert_null(mailbox_take_all(&box));
    assert_true(mailbox_post(&box, &letters[0].item));
    assert_false(mailbox_post(&box, &letters[1].item));
    assert_false(mailbox_post(&box, &letters[2].item));
    struct mailbox_item *item = mailbox_take_all(&box);
    for (int i = 0; i < 3; i++, item = item->next)
        assert_int_equal(letter_of(item)->number, i);
    assert_null(item);
    assert_null(mailbox_take_all(&box));
    letters[0].item.next = &letters[1].item; /* a stale link must not matter */
    assert_true(mailbox_post(&box, &letters[0].item));
    item = mailbox_take_all(&box);
    assert_ptr_equal(item, &letters[0].item);
    assert_null(item->next);
    mailbox_clear(&box);
}

struct poster {
    pthread_t thread;
    struct mailbox *box;
    struct letter *letters;
    int found_empty;
};

static void *post_all(void *arg)
{
    struct poster *poster = arg;
    for (int i = 0; i < PER_POSTER; i++)
        poster->found_empty += mailbox_post(poster->box, &poster->letters[i].item);
    return NULL;
}

static void test_many_posters_one_reader(void **state)
{
    (void)state;
    struct mailbox box;
    struct poster posters[POSTERS];
    mailbox_init(&box);
    for (int p = 0; p < POSTERS; p++) {
        posters[p] = (struct poster){.box = &box};
        posters[p].letters = calloc(PER_POSTER, sizeof(struct letter));
        assert_non_null(posters[p].letters);
        for (int i = 0; i < PER_POSTER; i++)
            posters[p].letters[i] = (struct letter){.poster = p, .number = i};
    }
    for (int p = 0; p < POSTERS; p++)
        assert_int_equal(pthread_create(&posters[p].thread, NULL, post_all, &posters[p]), 0);
    int next[POSTERS] = {0};
    int takes = 0;
    for (int got = 0; got < POSTERS * PER_POSTER;) {
        struct mailbox_item *item = mailbox_take_all(&box);
        takes += item != NULL;
        if (item == NULL)
            sched_yield();
        for (; item != NULL; got++) {
            struct letter *letter = letter_of(item);
            assert_int_equal(letter->number, next[letter->poster]++);
            item = item->next;
        }
    }
    int found_empty = 0;
    for (int p = 0; p < POSTERS; p++) {
        assert_int_equal(pthread_join(posters[p].thread, NULL), 0);
        found_empty += posters[p].found_empty;
        free(posters[p].letters);
    }
    assert_int_equal(found_empty, takes); /* one wake-up for each time there was something */
    mailbox_clear(&box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items_come_oldest_first),
        cmocka_unit_test(test_many_posters_one_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
