// Reads the fields of one audit event with simdjson On-Demand, for comparison. Plain C, so that no Swift target needs
// C++ interoperability.
#ifndef HOLDFAST_CSIMDJSON_H
#define HOLDFAST_CSIMDJSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Bytes inside the reader's own buffer, valid until the next event; `start` is NULL for what is absent. A string has
// no quotes, and escapes are not resolved.
typedef struct {
    const char *start;
    size_t count;
} holdfast_bytes;

enum {
    HOLDFAST_EVENT_NAME, HOLDFAST_EVENT_SOURCE, HOLDFAST_EVENT_TIME, HOLDFAST_REGION, HOLDFAST_EVENT_ID,
    HOLDFAST_ERROR_CODE, HOLDFAST_READ_ONLY, HOLDFAST_ACCOUNT, HOLDFAST_USER_ARN, HOLDFAST_USER_TYPE,
    HOLDFAST_REQUEST, HOLDFAST_RESPONSE, HOLDFAST_FIELD_COUNT
};

typedef struct {
    holdfast_bytes fields[HOLDFAST_FIELD_COUNT];
    // How many resources have an ARN, and how many bytes these ARNs have.
    size_t arn_count;
    size_t arn_bytes;
} holdfast_event;

typedef struct holdfast_reader holdfast_reader;

holdfast_reader *holdfast_reader_new(void);
void holdfast_reader_free(holdfast_reader *reader);

// Copies the event into a padded buffer and reads it there; false where simdjson finds a fault.
bool holdfast_reader_read(holdfast_reader *reader, const char *bytes, size_t count, holdfast_event *event);

// The kernel that On-Demand was compiled to.
const char *holdfast_reader_kernel(void);

#ifdef __cplusplus
}
#endif
#endif
