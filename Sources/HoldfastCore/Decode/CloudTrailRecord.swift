internal import HoldfastCrypto
internal import HoldfastJSON

/// A record of AWS CloudTrail: an object with `eventSource` and `eventName`.
struct CloudTrailRecord {
    let body: JSONObject
    let facts: EnvelopeFacts

    func item(detail: DecodeDetail) throws(RecordFault) -> DecodedItem {
        let fields = CloudTrailFields(body)
        let event = try event(fields)
        if case .failure(let code) = event.outcome {
            return .dropped(DroppedRecord(.failed(code), event, detail: detail))
        }
        if let session = CloudTrailSession.opening(event, fields, body) { return .session(session) }
        return event.readOnly ? .dropped(DroppedRecord(.readOnly, event, detail: detail)) : .event(event)
    }

    private func event(_ fields: CloudTrailFields) throws(RecordFault) -> ChangeEvent {
        let time = try Moment(body["eventTime"], name: "eventTime").resolved(by: facts, name: "eventTime")
        return fields.event(
            id: fields.id ?? facts.id ?? digestID(of: body), time: time, action: "\(fields.source)/\(fields.name)",
            outcome: outcome(fields), facts: facts, body: .tree(.object(body)))
    }

    private func outcome(_ fields: CloudTrailFields) -> Outcome {
        if let code = fields.errorCode { return .failure(code) }
        // The sign-in service says how it ended in the answer, under the operation's own name.
        if fields.source == CloudTrailSession.signIn, body["responseElements"]?[fields.name] == "Failure" {
            return .failure(body["errorMessage"]?.filled ?? "Failure")
        }
        return .success
    }
}

/// The id of an event that has none: the same for every delivery of the same bytes.
func digestID(of body: JSONObject) -> String { "sha256:\(sha256(JSON.object(body).canonicalBytes))" }
