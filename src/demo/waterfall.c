#include "waterfall.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "otlp/scan.h"
#include "tree.h"

enum {
    MARGIN = 2,
    SERVICE_COLUMNS = 10,
    KIND_COLUMNS = 9,
    DURATION_COLUMNS = 8,
    MARK_COLUMNS = 2,
    NAME_COLUMNS_MIN = 30,
    NAME_COLUMNS_MAX = 40,
    BAR_COLUMNS_MAX = 80,
    CELL_TEXT_MAX = 160
};

/* What pictures are made of. */
struct glyphs {
    const char *line;   /* goes on to a later sibling */
    const char *branch; /* a child with later siblings */
    const char *last;   /* the last child */
    const char *full;
    const char *left; /* the left half of a cell */
    const char *right;
    const char *queue;
    const char *error;
    const char *ellipsis;
    const char *micro;
};
static const struct glyphs unicode_glyphs = {"│", "├", "└", "█", "▌", "▐", "░", "✗", "…", "µs"};
static const struct glyphs ascii_glyphs = {"|", "|", "`", "=", "=", "=", ".", "!", ".", "us"};

static const struct glyphs *glyphs_of(const struct terminal_style *style)
{
    return style->unicode ? &unicode_glyphs : &ascii_glyphs;
}

uint32_t waterfall_width(const char *text)
{
    uint32_t width = 0;
    for (; *text != '\0'; text++)
        width += ((uint8_t)*text & 0xc0) != 0x80; /* bytes that continue a character */
    return width;
}

/* Names come from outside: nothing of them may move the cursor, or break an ASCII terminal. */
static void put_clean(struct text *out, struct bytes text, const struct terminal_style *style)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.at[i];
        bool control = byte < ' ' || byte == 0x7f;
        bool foreign = byte >= 0x80 && !style->unicode;
        if (foreign && (byte & 0xc0) == 0x80)
            continue; /* one mark for each character */
        text_append(out, control || foreign ? BYTES_LITERAL("?") : bytes_of(&text.at[i], 1));
    }
}

/* Appends `text` cut or padded to `columns`. */
static void put_cell(struct text *out, const char *text, uint32_t columns,
                     const struct terminal_style *style)
{
    uint32_t width = waterfall_width(text);
    if (width <= columns) {
        put_clean(out, bytes_text(text), style);
        text_printf(out, "%*s", (int)(columns - width), "");
        return;
    }
    /* One character less than fits, for the mark of the cut. */
    const char *end = text;
    for (uint32_t taken = 0; taken + 1 < columns || ((uint8_t)*end & 0xc0) == 0x80; end++)
        taken += ((uint8_t)end[1] & 0xc0) != 0x80;
    put_clean(out, bytes_of(text, (size_t)(end - text)), style);
    text_append_text(out, glyphs_of(style)->ellipsis);
}

static void format_duration(uint64_t ns, const struct terminal_style *style, size_t room,
                            char *ret)
{
    double ms = (double)ns / (double)NS_PER_MS;
    if (ms < 1)
        snprintf(ret, room, "%.0f %s", ms * 1000, glyphs_of(style)->micro);
    else if (ms < 99.95)
        snprintf(ret, room, "%.1f ms", ms);
    else if (ms < 999.5)
        snprintf(ret, room, "%.0f ms", ms);
    else
        snprintf(ret, room, "%.2f s", ms / 1000);
}

void waterfall_put_duration(struct text *out, uint64_t ns, const struct terminal_style *style)
{
    char text[CELL_TEXT_MAX];
    format_duration(ns, style, sizeof(text), text);
    text_append_text(out, text);
}

static const char *kind_name(const struct seen_span *span)
{
    static const char *const names[] = {"",       "internal", "server",
                                        "client", "producer", "consumer"};
    if (span->synthetic)
        return "queue";
    return span->kind < sizeof(names) / sizeof(names[0]) ? names[span->kind] : "";
}

/*
 * Each service keeps its ink through all pictures, since it comes from its name.  The first
 * value is one that gives the five services of the shop five inks.
 */
static enum terminal_ink ink_of(const struct seen_span *span)
{
    static const enum terminal_ink inks[] = {TERMINAL_CYAN, TERMINAL_YELLOW, TERMINAL_GREEN,
                                             TERMINAL_MAGENTA, TERMINAL_BLUE};
    uint32_t hash = 18;
    if (span->synthetic)
        return TERMINAL_DIM;
    for (const char *at = span->service; *at != '\0'; at++)
        hash = hash * 31 + (uint8_t)*at;
    return inks[hash % (sizeof(inks) / sizeof(inks[0]))];
}

/* Where a row's columns begin and end. */
struct layout {
    uint64_t start_ns;
    uint64_t length_ns; /* of the whole picture; at least 1 */
    uint32_t name_columns;
    uint32_t bar_columns;
};

static struct layout layout_of(const struct seen_list *list, const struct terminal_style *style)
{
    uint32_t name = style->columns * 38 / 100;
    if (name < NAME_COLUMNS_MIN)
        name = NAME_COLUMNS_MIN;
    if (name > NAME_COLUMNS_MAX)
        name = NAME_COLUMNS_MAX;
    uint32_t fixed =
        MARGIN + SERVICE_COLUMNS + name + KIND_COLUMNS + DURATION_COLUMNS + 1 + MARK_COLUMNS;
    uint64_t start_ns = seen_list_start_ns(list);
    uint64_t length_ns = seen_list_end_ns(list) - start_ns;
    return (struct layout){
        .start_ns = start_ns,
        .length_ns = length_ns == 0 ? 1 : length_ns,
        .name_columns = name,
        .bar_columns = style->columns - fixed,
    };
}

/* The tree's lines and the span's name; a tree that is deeper than the column goes on unseen. */
static void put_name(struct text *out, const struct tree_row *row, uint32_t columns,
                     const struct terminal_style *style)
{
    const struct glyphs *glyphs = glyphs_of(style);
    uint32_t left = columns - 1; /* a blank at the end */
    for (uint16_t level = 1; level < row->depth && left > 3; level++, left--)
        text_append_text(out, row->open >> level & 1 ? glyphs->line : " ");
    if (row->depth > 0) {
        text_append_text(out, row->open >> row->depth & 1 ? glyphs->branch : glyphs->last);
        text_append_char(out, ' ');
        left -= 2;
    }
    put_cell(out, row->span->name, left, style);
    text_append_char(out, ' ');
}

/* In half cells: the bar covers [from, to), and is never nothing. */
static void put_bar(struct text *out, const struct seen_span *span, const struct layout *layout,
                    const struct terminal_style *style)
{
    const struct glyphs *glyphs = glyphs_of(style);
    uint64_t halves = UINT64_C(2) * layout->bar_columns;
    uint64_t from = (span->start_ns - layout->start_ns) * halves / layout->length_ns;
    uint64_t to = ((span->end_ns - layout->start_ns) * halves + layout->length_ns - 1) /
                  layout->length_ns;
    if (from >= halves)
        from = halves - 1;
    if (to <= from)
        to = from + 1;
    for (uint64_t cell = 0; cell < layout->bar_columns; cell++) {
        bool left = from <= 2 * cell && 2 * cell < to;
        bool right = from <= 2 * cell + 1 && 2 * cell + 1 < to;
        if (!left && !right)
            text_append_char(out, ' ');
        else if (span->synthetic)
            text_append_text(out, glyphs->queue);
        else if (left && right)
            text_append_text(out, glyphs->full);
        else
            text_append_text(out, left ? glyphs->left : glyphs->right);
    }
}

static void put_row(struct text *out, const struct tree_row *row, const struct layout *layout,
                    const struct terminal_style *style)
{
    const struct seen_span *span = row->span;
    const char *ink = terminal_ink_text(style, ink_of(span));
    const char *plain = terminal_ink_text(style, TERMINAL_PLAIN);
    const char *red = terminal_ink_text(style, TERMINAL_RED);
    char duration[CELL_TEXT_MAX];
    format_duration(span->end_ns - span->start_ns, style, sizeof(duration), duration);

    text_printf(out, "%*s%s", MARGIN, "", ink);
    put_cell(out, span->service, SERVICE_COLUMNS, style);
    text_append_text(out, span->synthetic ? "" : plain);
    put_name(out, row, layout->name_columns, style);
    text_append_text(out, terminal_ink_text(style, TERMINAL_DIM));
    put_cell(out, kind_name(span), KIND_COLUMNS, style);
    text_printf(out, "%s%s", plain, ink);
    put_bar(out, span, layout, style);
    text_append_text(out, plain);
    uint32_t width = waterfall_width(duration);
    text_printf(out, " %*s%s", width < DURATION_COLUMNS ? (int)(DURATION_COLUMNS - width) : 0,
                "", duration);
    if (span->failed)
        text_printf(out, " %s%s%s", red, glyphs_of(style)->error, plain);
    text_append_char(out, '\n');
}

void waterfall_draw(struct text *out, const struct seen_list *list,
                    const struct terminal_style *style)
{
    struct tree tree;
    struct layout layout = layout_of(list, style);
    tree_build(list, &tree);
    for (uint32_t i = 0; i < tree.count; i++)
        put_row(out, &tree.rows[i], &layout, style);
}
