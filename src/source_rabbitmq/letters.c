#include "letters.h"

#include "core/memory.h"

static struct bytes copy(uint8_t **at, struct bytes in)
{
    uint8_t *to = *at;
    if (in.at == NULL)
        return in;
    if (in.len > 0)
        memcpy(to, in.at, in.len);
    *at += in.len;
    return bytes_of(to, in.len);
}

struct letter *letter_new(const struct source_topic *topic,
                          const struct source_dead_letter *from)
{
    size_t fixed = sizeof(struct letter) + from->header_count * sizeof(struct amqp_header);
    size_t size = fixed + from->key.len + from->value.len;
    for (uint32_t i = 0; i < from->header_count; i++)
        size += from->headers[i].name.len + from->headers[i].value.len;
    struct letter *letter = memory_alloc(size);
    if (letter == NULL)
        return NULL;
    uint8_t *at = (uint8_t *)letter + fixed;
    *letter = (struct letter){.ticket = from->ticket, .bytes = size};
    for (uint32_t i = 0; i < from->header_count; i++)
        letter->headers[i] = (struct amqp_header){.name = copy(&at, from->headers[i].name),
                                                  .value = copy(&at, from->headers[i].value)};
    struct bytes key = copy(&at, from->key);
    letter->message = (struct amqp_message){
        .exchange = bytes_text(topic->dead_letter_exchange),
        .routing_key =
            topic->dead_letter_key != NULL ? bytes_text(topic->dead_letter_key) : key,
        .mandatory = true,
        .persistent = true,
        .headers = letter->headers,
        .header_count = from->header_count,
        .body = copy(&at, from->value),
    };
    return letter;
}

void letters_append(struct letter_list *list, struct letter *letter)
{
    letter->item.next = NULL;
    if (list->first == NULL)
        list->first = letter;
    else
        list->last->item.next = &letter->item;
    list->last = letter;
    list->count++;
}

struct letter *letters_take_first(struct letter_list *list)
{
    struct letter *first = list->first;
    if (first == NULL)
        return NULL;
    list->first = (struct letter *)first->item.next;
    list->count--;
    return first;
}

void letters_put_back(struct letter_list *list, struct letter_list *back)
{
    if (back->first == NULL)
        return;
    back->last->item.next = list->first == NULL ? NULL : &list->first->item;
    if (list->first == NULL)
        list->last = back->last;
    list->first = back->first;
    list->count += back->count;
    *back = (struct letter_list){.count = 0};
}
