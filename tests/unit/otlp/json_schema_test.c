#include "json_schema.h"

#include "otlp_trace.pb-c.h"
#include "support/test.h"

/* protobuf's rule for JSON names: the letter behind an underscore becomes a capital. */
static void make_json_name(const char *name, char *ret)
{
    for (; *name != '\0'; name++) {
        if (*name == '_' && name[1] >= 'a' && name[1] <= 'z')
            *ret++ = (char)(*++name - 'a' + 'A');
        else
            *ret++ = *name;
    }
    *ret = '\0';
}

static void expect_type(const struct schema_field *ours, const ProtobufCFieldDescriptor *theirs)
{
    static const struct {
        ProtobufCType theirs;
        enum schema_type ours[2];
    } types[] = {
        {PROTOBUF_C_TYPE_STRING, {SCHEMA_TEXT, SCHEMA_TEXT}},
        {PROTOBUF_C_TYPE_BYTES, {SCHEMA_ID, SCHEMA_BASE64}},
        {PROTOBUF_C_TYPE_BOOL, {SCHEMA_BOOL, SCHEMA_BOOL}},
        {PROTOBUF_C_TYPE_ENUM, {SCHEMA_ENUM, SCHEMA_ENUM}},
        {PROTOBUF_C_TYPE_UINT32, {SCHEMA_UINT32, SCHEMA_UINT32}},
        {PROTOBUF_C_TYPE_INT64, {SCHEMA_INT64, SCHEMA_INT64}},
        {PROTOBUF_C_TYPE_FIXED64, {SCHEMA_FIXED64, SCHEMA_FIXED64}},
        {PROTOBUF_C_TYPE_FIXED32, {SCHEMA_FIXED32, SCHEMA_FIXED32}},
        {PROTOBUF_C_TYPE_DOUBLE, {SCHEMA_DOUBLE, SCHEMA_DOUBLE}},
        {PROTOBUF_C_TYPE_MESSAGE, {SCHEMA_MESSAGE, SCHEMA_MESSAGE}},
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (types[i].theirs != theirs->type)
            continue;
        assert_true(ours->type == types[i].ours[0] || ours->type == types[i].ours[1]);
        /* Among bytes, ids are those that the specification wants as hex. */
        if (ours->type == SCHEMA_ID || ours->type == SCHEMA_BASE64)
            assert_int_equal(ours->type == SCHEMA_ID, strcmp(ours->name, "bytesValue") != 0);
        return;
    }
    fail_msg("%s has a type that OTLP does not use", theirs->name);
}

/* The tables and the .proto file name the same fields, all the way down. */
static void test_the_tables_are_the_proto_file(void **state)
{
    (void)state;
    struct {
        const struct schema_message *ours;
        const ProtobufCMessageDescriptor *theirs;
    } seen[32] = {
        {&schema_request, &spanbridge__oracle__export_trace_service_request__descriptor}};
    size_t count = 1;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(seen[i].ours->count, seen[i].theirs->n_fields);
        for (size_t j = 0; j < seen[i].ours->count; j++) {
            const struct schema_field *ours = &seen[i].ours->fields[j];
            const ProtobufCFieldDescriptor *theirs = &seen[i].theirs->fields[j];
            char name[64];
            make_json_name(theirs->name, name);
            assert_string_equal(ours->name, name);
            assert_int_equal(ours->number, theirs->id);
            assert_int_equal(ours->repeated, theirs->label == PROTOBUF_C_LABEL_REPEATED);
            assert_int_equal(seen[i].ours->one_of,
                             (theirs->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0);
            expect_type(ours, theirs);
            if (ours->type != SCHEMA_MESSAGE)
                continue;
            bool known = false;
            for (size_t k = 0; k < count; k++)
                known = known ||
                        (seen[k].ours == ours->message && seen[k].theirs == theirs->descriptor);
            if (!known) {
                assert_true(count < 32);
                seen[count].ours = ours->message;
                seen[count++].theirs = theirs->descriptor;
            }
        }
    }
    assert_int_equal(count, 14); /* all messages but the response */
}

static void test_wire_types(void **state)
{
    (void)state;
    assert_int_equal(schema_wire_type(SCHEMA_TEXT), WIRE_BYTES);
    assert_int_equal(schema_wire_type(SCHEMA_MESSAGE), WIRE_BYTES);
    assert_int_equal(schema_wire_type(SCHEMA_ENUM), WIRE_VARINT);
    assert_int_equal(schema_wire_type(SCHEMA_INT64), WIRE_VARINT);
    assert_int_equal(schema_wire_type(SCHEMA_DOUBLE), WIRE_FIXED64);
    assert_int_equal(schema_wire_type(SCHEMA_FIXED32), WIRE_FIXED32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_tables_are_the_proto_file),
        cmocka_unit_test(test_wire_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
