#include "CSimdjson.h"

#include <simdjson.h>

#include <cstring>
#include <string_view>
#include <vector>

namespace ondemand = simdjson::ondemand;

struct holdfast_reader {
    ondemand::parser parser;
    std::vector<char> buffer;
};

namespace {

// Whether a key that starts here, without escapes, is this name. Compared with the quote that ends it.
template <size_t N> bool is(const char *key, const char (&name)[N]) {
    return std::memcmp(key, name, N - 1) == 0;
}

holdfast_bytes scalar(ondemand::value value) {
    std::string_view token = value.raw_json_token();
    while (!token.empty() && static_cast<unsigned char>(token.back()) <= 0x20) token.remove_suffix(1);
    if (token.size() >= 2 && token.front() == '"') return {token.data() + 1, token.size() - 2};
    return {token.data(), token.size()};
}

// An object or array as it is written, anything else as a scalar.
simdjson::error_code any(ondemand::value value, holdfast_bytes &out) {
    ondemand::json_type type;
    if (auto error = value.type().get(type)) return error;
    std::string_view raw;
    if (type == ondemand::json_type::object) {
        ondemand::object object;
        if (auto error = value.get_object().get(object)) return error;
        if (auto error = object.raw_json().get(raw)) return error;
    } else if (type == ondemand::json_type::array) {
        ondemand::array array;
        if (auto error = value.get_array().get(array)) return error;
        if (auto error = array.raw_json().get(raw)) return error;
    } else {
        out = scalar(value);
        return simdjson::SUCCESS;
    }
    out = {raw.data(), raw.size()};
    return simdjson::SUCCESS;
}

simdjson::error_code identity(ondemand::value value, holdfast_event &event) {
    ondemand::object object;
    if (auto error = value.get_object().get(object)) return error;
    for (auto field : object) {
        ondemand::raw_json_string key;
        if (auto error = field.key().get(key)) return error;
        if (is(key.raw(), "arn\"")) event.fields[HOLDFAST_USER_ARN] = scalar(field.value());
        else if (is(key.raw(), "type\"")) event.fields[HOLDFAST_USER_TYPE] = scalar(field.value());
    }
    return simdjson::SUCCESS;
}

simdjson::error_code resources(ondemand::value value, holdfast_event &event) {
    ondemand::array array;
    if (auto error = value.get_array().get(array)) return error;
    for (auto element : array) {
        ondemand::object object;
        if (auto error = element.get_object().get(object)) return error;
        for (auto field : object) {
            ondemand::raw_json_string key;
            if (auto error = field.key().get(key)) return error;
            if (is(key.raw(), "ARN\"")) {
                event.arn_count += 1;
                event.arn_bytes += scalar(field.value()).count;
            }
        }
    }
    return simdjson::SUCCESS;
}

simdjson::error_code member(const char *key, ondemand::value value, holdfast_event &event) {
    switch (key[0]) {
    case 'a':
        if (is(key, "awsRegion\"")) event.fields[HOLDFAST_REGION] = scalar(value);
        break;
    case 'e':
        if (is(key, "eventName\"")) event.fields[HOLDFAST_EVENT_NAME] = scalar(value);
        else if (is(key, "eventSource\"")) event.fields[HOLDFAST_EVENT_SOURCE] = scalar(value);
        else if (is(key, "eventTime\"")) event.fields[HOLDFAST_EVENT_TIME] = scalar(value);
        else if (is(key, "eventID\"")) event.fields[HOLDFAST_EVENT_ID] = scalar(value);
        else if (is(key, "errorCode\"")) event.fields[HOLDFAST_ERROR_CODE] = scalar(value);
        break;
    case 'r':
        if (is(key, "readOnly\"")) event.fields[HOLDFAST_READ_ONLY] = scalar(value);
        else if (is(key, "requestParameters\"")) return any(value, event.fields[HOLDFAST_REQUEST]);
        else if (is(key, "responseElements\"")) return any(value, event.fields[HOLDFAST_RESPONSE]);
        else if (is(key, "recipientAccountId\"")) event.fields[HOLDFAST_ACCOUNT] = scalar(value);
        else if (is(key, "resources\"")) return resources(value, event);
        break;
    case 'u':
        if (is(key, "userIdentity\"")) return identity(value, event);
        break;
    }
    return simdjson::SUCCESS;
}

}  // namespace

extern "C" holdfast_reader *holdfast_reader_new(void) { return new holdfast_reader; }

extern "C" void holdfast_reader_free(holdfast_reader *reader) { delete reader; }

extern "C" bool holdfast_reader_read(
    holdfast_reader *reader, const char *bytes, size_t count, holdfast_event *event
) {
    *event = {};
    if (reader->buffer.size() < count + simdjson::SIMDJSON_PADDING) {
        reader->buffer.resize(2 * count + simdjson::SIMDJSON_PADDING);
    }
    std::memcpy(reader->buffer.data(), bytes, count);
    ondemand::document document;
    if (reader->parser.iterate(reader->buffer.data(), count, reader->buffer.size()).get(document)) return false;
    ondemand::object object;
    if (document.get_object().get(object)) return false;
    for (auto field : object) {
        ondemand::raw_json_string key;
        ondemand::value value;
        if (field.key().get(key) || field.value().get(value)) return false;
        if (member(key.raw(), value, *event)) return false;
    }
    return true;
}

extern "C" const char *holdfast_reader_kernel(void) { return SIMDJSON_STRINGIFY(SIMDJSON_BUILTIN_IMPLEMENTATION); }
