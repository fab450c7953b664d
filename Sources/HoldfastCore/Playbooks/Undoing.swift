package import HoldfastJSON

/// What takes a step back, now.
package enum UndoAction: Sendable, Hashable {
    case call(PlannedCall)
    /// It is already as it was, and why that is known.
    case nothing(String)
}

/// Why a step cannot be taken back as it is: a person must.
package struct UndoFault: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Kind: String, Sendable, Hashable {
        /// The step says that nothing undoes it.
        case irreversible
        /// What was there before the step was not captured, or the call cannot write it.
        case unknownBefore
        /// Somebody else changed the same thing since.
        case changedSince
        /// What stands there now is not known.
        case unknownNow
    }
    package var kind: Kind
    package var description: String
    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}

/// Takes one step of a plan back. Pure: says which call does it, and makes none.
package struct StepUndo: Sendable {
    private let call: PlannedCall
    let writes: [PropertyPath]
    let undo: PlannedUndo
    private let calls: [String: CloudCall]
    let keys: ListKeys

    /// - Parameters:
    ///   - call: the step's own.
    ///   - writes: the sections that it changes.
    ///   - type: of the resource.
    package init(_ call: PlannedCall, writes: [PropertyPath], undo: PlannedUndo, of type: String, catalog: Catalog) {
        self.call = call
        self.writes = writes
        self.undo = undo
        calls = catalog.calls
        keys = catalog.type(type)?.keys ?? ListKeys()
    }

    /// The call that takes the step back: exact bytes where what it wrote still stands there, else the edit turned
    /// round on what stands there now.
    ///
    /// - Parameters:
    ///   - captured: what the reads gave before the step.
    ///   - answer: what the step's own call gave.
    ///   - written: ``sections(of:)`` the resource as it was read after the step; `nil` where it never was.
    ///   - now: the resource as it was just read.
    package func action(
        captured: [RawAnswer], answer: JSON = .null, written: JSON? = nil, now: StateValue
    ) throws(UndoFault) -> UndoAction {
        var action: UndoAction
        switch undo.means {
        case .none: throw UndoFault(.irreversible, "\(call.name) cannot be undone: \(undo.grade)")
        case .call(let inverse): action = .call(try inverse.filled(from: answer))
        case .restore:
            guard try stands(written: written, now: now) else {
                let sections = writes.map(\.description).joined(separator: ", ")
                throw UndoFault(.changedSince, "\(sections) was changed by others since \(call.name) wrote it")
            }
            action = .call(try restoringCall(captured))
        case .inverseEdit:
            if (try? stands(written: written, now: now)) == true, let exact = try? restoringCall(captured) {
                action = .call(exact)
            } else {
                action = try reversal(now: now)
            }
        }
        if case .call(var inverse) = action {
            inverse.precondition = precondition(of: inverse, now: now)
            action = .call(inverse)
        }
        return action
    }

    // MARK: What stands there

    /// What a read after the step shows of what the step wrote, to be held against a later read.
    package func sections(of state: StateValue) -> JSON {
        let known = pathsWritten.filter { state[$0].unknownReason == nil }
        return .object(JSONObject(known.map { ($0.description, state[$0].json) }))
    }

    /// Whether what the step wrote is still what stands there.
    ///
    /// - Parameter written: ``sections(of:)`` a read after the step; without it, what the step sent.
    package func stands(written: JSON?, now: StateValue) throws(UndoFault) -> Bool {
        for path in pathsWritten {
            let found = now[path]
            if let reason = found.unknownReason { throw UndoFault(.unknownNow, "\(path) is not known: \(reason)") }
            // Clouds may say what they were sent in words of their own: then what was read after it counts.
            let wanted = [sent(at: path), written?[path.description]].compactMap { $0 }
            guard !wanted.isEmpty else {
                throw UndoFault(.unknownNow, "\(path) was not read after \(call.name) wrote it")
            }
            let text = undo.document?.section == path ? found.json.string.flatMap { JSON.document(in: $0) } : nil
            if !wanted.contains(found.json), !wanted.contains(where: { $0 == text }) { return false }
        }
        return true
    }

    /// The paths that the step changed: of a document that is edited, the document; of a call that leaves alone what it
    /// does not send, only that.
    var pathsWritten: [PropertyPath] {
        if let document = undo.document { return [document.section] }
        guard calls[call.name]?.restore?.isOfSentOnly == true, let body = call.parameters["body"]
        else { return writes }
        return writes.flatMap { section in body[section].map { $0.leaves(at: section) } ?? [section] }
    }

    /// What the step sent for a path, where that can be told from its parameters.
    func sent(at path: PropertyPath) -> JSON? {
        if let document = undo.document, document.section == path { return document.after }
        return call.parameters["body"]?[path] ?? JSON.object(call.parameters)[path]
    }

    // MARK: Exact bytes

    /// Of the answers of a read those that restoring needs: nothing else is kept, for answers hold what is secret too.
    package func capture(_ answers: [RawAnswer]) -> [RawAnswer] {
        guard let from = calls[restoringCalls.writer]?.restore?.from else { return [] }
        return answers.filter { $0.call == from }
    }

    /// Which call writes a section back, and which takes away what was not there.
    private var restoringCalls: (writer: String, deleter: String?) {
        if case .restore(_, let with, let whenAbsent, _) = undo.means { return (with, whenAbsent) }
        return (call.name, calls[call.name]?.inverseWhenAbsent)
    }

    /// The call that writes back what was captured before the step, or that takes away what was not there.
    package func restoringCall(_ captured: [RawAnswer]) throws(UndoFault) -> PlannedCall {
        let (writerName, deleterName) = restoringCalls
        guard let writer = calls[writerName], let restore = writer.restore else {
            throw UndoFault(.unknownBefore, "the catalog does not say how \(writerName) writes back what was captured")
        }
        let found = try answer(of: restore.from, in: captured)
        let known = identity(in: found, of: writer)
        switch found.outcome {
        case .absent(let code):
            return try takingAway(deleterName, found, because: "\(restore.from) said \(code)")
        case .answer(let answer):
            var filled = restore.filled(answer, for: writer, but: known)
            if filled.isEmpty { return try takingAway(deleterName, found, because: "\(restore.from) gave nothing") }
            if restore.isOfSentOnly, writerName == call.name {
                filled = try narrowed(filled, of: writer, but: known)
            }
            var parameters = known
            for member in filled.members { parameters[member.name] = member.value }
            return try planned(writer, parameters)
        }
    }

    private func answer(of name: String, in captured: [RawAnswer]) throws(UndoFault) -> RawAnswer {
        let all = captured.filter { $0.call == name }
        let own = all.count < 2 ? all : all.filter { isOfSameThing($0.parameters) }
        guard let found = own.first, own.count == 1 else {
            let why = own.isEmpty ? "was not captured" : "was captured \(own.count) times, for different things"
            throw UndoFault(.unknownBefore, "what \(name) gave before \(call.name) \(why)")
        }
        return found
    }

    private func isOfSameThing(_ parameters: JSONObject) -> Bool {
        parameters.members.allSatisfy { member in
            call.parameters[member.name].map { $0 == member.value } ?? true
        }
    }

    /// The parameters that say which resource is meant: the read's and the step's own, where the call takes them.
    private func identity(in found: RawAnswer, of writer: CloudCall) -> JSONObject {
        var known = JSONObject()
        for name in writer.parameters where name != "body" {
            known[name] = found.parameters[name] ?? (isInRequest(name, writer) ? call.parameters[name] : nil)
        }
        return known
    }

    private func isInRequest(_ name: String, _ other: CloudCall) -> Bool {
        CloudCall.variables(in: other.request).contains(name)
    }

    private func takingAway(
        _ name: String?, _ found: RawAnswer, because reason: String
    ) throws(UndoFault) -> PlannedCall {
        guard let deleter = name.flatMap({ calls[$0] }) else {
            let message = "there was nothing before \(call.name) (\(reason)), and no call takes it away"
            throw UndoFault(.unknownBefore, message)
        }
        var parameters = JSONObject()
        for name in deleter.parameters where name != "body" {
            parameters[name] = call.parameters[name] ?? found.parameters[name]
        }
        return try planned(deleter, parameters)
    }

    /// Of what was captured, what the step's own call sent.
    private func narrowed(
        _ filled: JSONObject, of writer: CloudCall, but known: JSONObject
    ) throws(UndoFault) -> JSONObject {
        var out = JSONObject()
        for sent in call.parameters.members where known[sent.name] == nil {
            if !writer.isAWS, sent.name != "body" {
                // How it is sent, as a mask of what the body is about, and no part of it.
                out[sent.name] = sent.value
                continue
            }
            let isPatch = sent.name == "body" && writer.takesAwayWithNull
            guard let value = filled[sent.name]?.narrowed(to: sent.value, withNulls: isPatch) ?? (isPatch ? .null : nil)
            else {
                throw UndoFault(
                    .unknownBefore,
                    "\(sent.name) was not there before \(call.name), and the call cannot take it away")
            }
            if let missing = value.missing(of: sent.value) {
                throw UndoFault(
                    .unknownBefore,
                    "\(missing) was not set before \(call.name), and the call cannot take it away")
            }
            out[sent.name] = value
        }
        return out
    }

    private func planned(_ other: CloudCall, _ parameters: JSONObject) throws(UndoFault) -> PlannedCall {
        for name in CloudCall.variables(in: other.request) where parameters[name] == nil {
            throw UndoFault(.unknownBefore, "\(other.name) needs \(name), which the capture does not hold")
        }
        return PlannedCall(other, parameters: parameters)
    }

    // MARK: The edit turned round

    /// The edit taken back on the document as it is now: other people's changes stay.
    package func reversal(now: StateValue) throws(UndoFault) -> UndoAction {
        guard case .inverseEdit(_, let inverse) = undo.means, let edited = undo.document,
            let writer = calls[call.name]
        else { throw UndoFault(.unknownBefore, "\(call.name) sends no document that could be edited back") }
        let found = now[edited.section]
        if let reason = found.unknownReason {
            throw UndoFault(.unknownNow, "\(edited.section) is not known: \(reason)")
        }
        var reversal = EditReversal(edited, keys: keys)
        let document = try reversal.document(from: found, taking: inverse)
        guard reversal.changedAnything else {
            return .nothing("\(edited.section) already is without what \(call.name) did to it")
        }
        if edited.before == nil, document == reversal.beginning(inverse),
            let deleter = writer.inverseWhenAbsent.flatMap({ calls[$0] })
        {
            var parameters = JSONObject()
            for name in deleter.parameters where name != "body" { parameters[name] = call.parameters[name] }
            return .call(try planned(deleter, parameters))
        }
        let value: JSON = edited.isText ? .string(document.canonicalText) : document
        let parameters = JSON.object(call.parameters).setting(value, at: edited.place.steps[...])
        return .call(PlannedCall(writer, parameters: parameters.object ?? JSONObject()))
    }

    // MARK: Preconditions

    /// The value of a call's precondition as it is now, where the step had one.
    func precondition(of inverse: PlannedCall, now: StateValue) -> JSON? {
        guard let text = undo.precondition, calls[inverse.name]?.preconditionPlace != nil,
            let reference = try? PlaybookReference.parse(text), [.resource, .before].contains(reference.root)
        else { return nil }
        let value = now.projected(reference.path.steps[...])
        return value.unknownReason == nil && value != .absent ? value.json : nil
    }
}

extension PlannedUndo {
    /// It names something that the step's call will have answered.
    var needsAnswer: Bool {
        guard case .call(let call) = means else { return false }
        return JSON.object(call.parameters).canonicalText.contains("\"$result\"")
    }
}

extension PlannedCall {
    init(_ call: CloudCall, parameters: JSONObject) {
        self.init(name: call.name, request: call.request, permission: call.permission, parameters: parameters)
    }

    /// With what the step's call answered in place of what names it (`$result.FlowLogIds`).
    func filled(from answer: JSON) throws(UndoFault) -> PlannedCall {
        var call = self
        guard let parameters = try call.filled(.object(parameters), answer).object else { return call }
        call.parameters = parameters
        return call
    }

    private func filled(_ json: JSON, _ answer: JSON) throws(UndoFault) -> JSON {
        switch json {
        case .null, .bool, .number, .string: return json
        case .array(let elements):
            var out: [JSON] = []
            for element in elements { out.append(try filled(element, answer)) }
            return .array(out)
        case .object(let object):
            if object.count == 1, let text = object["$result"]?.string, let path = PropertyPath(text) {
                let value = StateValue(known: answer).projected(path.steps[...]).json
                guard !value.isNull else {
                    throw UndoFault(.unknownBefore, "\(name) needs \(text) of what the step's call answered")
                }
                return value
            }
            var out = JSONObject()
            for member in object.members { out[member.name] = try filled(member.value, answer) }
            return .object(out)
        }
    }
}

extension JSON {
    /// Of a map only the members that another one has, at any depth; `nil` where there is none of them.
    ///
    /// - Parameter withNulls: those that are missing are null.
    fileprivate func narrowed(to sent: JSON, withNulls: Bool) -> JSON? {
        guard let wanted = sent.object, !wanted.isEmpty else { return self }
        guard let own = object else { return self.isNull ? nil : self }
        var out = JSONObject()
        for member in wanted.members {
            let value = own[member.name].flatMap { $0.isNull ? nil : $0 }
            let deep = member.value.object.map { !$0.isEmpty } ?? false
            out[member.name] =
                value?.narrowed(to: member.value, withNulls: withNulls)
                ?? (withNulls
                    ? deep ? JSON.object(JSONObject()).narrowed(to: member.value, withNulls: true) : .null : nil)
        }
        return out.isEmpty ? nil : .object(out)
    }

    /// The first member that another map has and this one lacks.
    fileprivate func missing(of sent: JSON) -> PropertyPath? {
        guard let wanted = sent.object, let own = object else { return nil }
        for member in wanted.members {
            guard let value = own[member.name] else { return PropertyPath([.name(member.name)]) }
            if let inner = value.missing(of: member.value) { return PropertyPath([.name(member.name)] + inner.steps) }
        }
        return nil
    }

    /// The paths of everything in maps that is no map.
    fileprivate func leaves(at path: PropertyPath) -> [PropertyPath] {
        guard let object, !object.isEmpty else { return [path] }
        return object.members.flatMap { $0.value.leaves(at: path.appending(.name($0.name))) }
    }
}
