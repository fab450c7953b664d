package import HoldfastJSON

/// What one call of a read gave, in the provider's own shape: exact bytes are written back from these.
package struct RawAnswer: Sendable, Hashable {
    package enum Outcome: Sendable, Hashable {
        /// All pages as one.
        case answer(JSON)
        /// The cloud says that there is nothing, with this code.
        case absent(code: String)
    }
    /// `s3.GetBucketPolicy`
    package var call: String
    package var parameters: JSONObject
    package var outcome: Outcome

    package init(call: String, parameters: JSONObject, outcome: Outcome) {
        self.call = call
        self.parameters = parameters
        self.outcome = outcome
    }
}

extension RawAnswer {
    /// For the journal, where it is kept encrypted: answers hold what clouds know, secrets too.
    package var json: JSON {
        var object = JSONObject([("call", .string(call)), ("parameters", .object(parameters))])
        switch outcome {
        case .answer(let json): object["answer"] = json
        case .absent(let code): object["absent"] = .string(code)
        }
        return .object(object)
    }

    /// `nil` where it is no such thing.
    package init?(json: JSON) {
        guard let call = json["call"]?.string, let parameters = json["parameters"]?.object else { return nil }
        if let code = json["absent"]?.string {
            self.init(call: call, parameters: parameters, outcome: .absent(code: code))
        } else if let answer = json["answer"] {
            self.init(call: call, parameters: parameters, outcome: .answer(answer))
        } else {
            return nil
        }
    }
}

/// How what a read gave becomes the parameters of a call that writes it back, as the catalog says under `restore:`.
package struct CallRestore: Sendable {
    /// The call whose answer is written back.
    package var from: String
    /// Where in the answer the section stands; the first one there counts.
    var at: EventPath?
    /// Of what has another name in the answer than among the parameters, or another shape.
    var parameters: [ReadStep.Parameter]
    /// Of each parameter only those members that the call to be taken back had sent: it leaves all others alone.
    package var isOfSentOnly: Bool
    var place: SourcePlace
}

extension CallRestore {
    /// What an answer gives the call: by `with:`, and what has the same name there.
    ///
    /// - Parameters:
    ///   - call: the one that writes back; its precondition is filled when it is made.
    ///   - known: the parameters that name the resource, which no answer fills.
    func filled(_ answer: JSON, for call: CloudCall, but known: JSONObject) -> JSONObject {
        var scope = EventScope(value: answer)
        if let at { scope = scope.entering(at).first ?? EventScope(value: .null) }
        var out = JSONObject()
        let precondition = call.preconditionPlace.map { $0.steps.count == 1 ? $0.property : nil }
        for name in call.parameters where name != precondition {
            if let own = self.parameters.first(where: { $0.name == name }) {
                out[name] = own.source.value(in: scope)
            } else if known[name] == nil, let value = scope.values[scope.values.count - 1][name], !value.isNull {
                out[name] = value
            }
        }
        return out
    }

    /// For digests of playbooks.
    var digested: JSON {
        [
            "from": .string(from), "at": .string("\(at.map { "\($0)" } ?? "")"),
            "with": .array(parameters.map { .array([.string($0.name), .string("\($0.source)")]) }),
            "sent": .bool(isOfSentOnly),
        ]
    }
}

extension CloudCall {
    /// A patch in which null takes away what was there: Google's, by RFC 7396.
    var takesAwayWithNull: Bool { wire == .google && request.hasPrefix("PATCH ") }

    /// The parameters of a planned call with the value of its precondition where it travels.
    package func parameters(of planned: PlannedCall) -> JSONObject {
        guard let place = preconditionPlace, let value = planned.precondition, !value.isNull else {
            return planned.parameters
        }
        return JSON.object(planned.parameters).setting(value, at: place.steps[...]).object ?? planned.parameters
    }
}

extension CloudCall {
    /// The call that writes a section which this one takes away; `nil` where this one takes none away.
    func writer(among calls: some Sequence<CloudCall>) -> CloudCall? {
        calls.filter { $0.inverseWhenAbsent == name }.min { $0.name < $1.name }
    }
}

extension Catalog {
    /// The parameter by whose value a cloud knows a call again that it was sent before; `nil` where it knows none.
    package func tokenParameter(of call: CloudCall) -> String? {
        if let token = call.token { return token }
        guard let (model, operation) = wire(of: call), let input = operation.input else { return nil }
        return model.shape(of: input)?.members.first(where: \.isIdempotencyToken)?.name
    }

    /// Whether a call whose outcome is not known may be made again: it does the same twice, or the cloud knows it again
    /// by its token.
    package func mayBeMadeAgain(_ name: String) -> Bool {
        guard let call = calls[name] else { return false }
        return call.isIdempotent || tokenParameter(of: call) != nil
    }

    /// The call that restores what a call changed: its counterpart where it takes a section away, else itself.
    func writer(restoringAfter call: CloudCall) -> CloudCall { call.writer(among: calls.values) ?? call }
}
