internal import HoldfastCrypto
package import HoldfastJSON

/// One place of what a step wrote, three times: as it was before the step, as the step wrote it, as it is now.
package struct UndoDifference: Sendable, Hashable {
    /// A path of the resource, with the key of an element where its list has keys: `Policy.Statement[PublicRead]`.
    package var path: String
    /// `nil`: nothing was there.
    package var before: JSON?
    package var written: JSON?
    package var now: JSON?

    package init(path: String, before: JSON?, written: JSON?, now: JSON?) {
        self.path = path
        self.before = before
        self.written = written
        self.now = now
    }

    /// Somebody else changed it since the step.
    package var isOthers: Bool { now != written }

    /// Without the members that nothing was at.
    package var json: JSON {
        var object = JSONObject([("path", .string(path))])
        object["before"] = before
        object["written"] = written
        object["now"] = now
        return .object(object)
    }

    package init?(json: JSON) {
        guard let path = json["path"]?.string else { return nil }
        self.init(path: path, before: json["before"], written: json["written"], now: json["now"])
    }
}

/// Why a step is not undone without a person's word: others changed what it wrote, and putting back what was before it
/// would take their work away.
package struct UndoConflict: Sendable, Hashable {
    /// Of the run's steps.
    package var step: Int
    package var reason: String
    /// Where the three differ, in the order of their paths.
    package var differences: [UndoDifference]
    /// What writes back what was before the step, over everything that others did there; `nil` where nothing does.
    package var call: PlannedCall?

    package init(step: Int, reason: String, differences: [UndoDifference], call: PlannedCall?) {
        self.step = step
        self.reason = reason
        self.differences = differences
        self.call = call
    }

    /// Stands for just this difference and just this call: a person's word on it is for nothing else.
    package var digest: String {
        let content: JSON = [
            "step": .number(JSONNumber(step)), "differences": .array(differences.map(\.json)),
            "call": call?.json ?? .null,
        ]
        return sha256(content.canonicalBytes).description
    }

    package var json: JSON {
        [
            "step": .number(JSONNumber(step)), "reason": .string(reason),
            "differences": .array(differences.map(\.json)), "call": call?.json ?? .null, "digest": .string(digest),
        ]
    }

    package init?(json: JSON) {
        guard let step = json["step"]?.int, let reason = json["reason"]?.string,
            let differences = json["differences"]?.array
        else { return nil }
        self.init(
            step: step, reason: reason, differences: differences.compactMap(UndoDifference.init(json:)),
            call: json["call"].flatMap(PlannedCall.init(json:)))
    }
}

extension StepUndo {
    /// What a person must see before the step is undone all the same; `nil` where its fault is of another kind.
    ///
    /// - Parameters:
    ///   - fault: why ``action(captured:answer:written:now:)`` gave none.
    ///   - index: the step's, in its run.
    package func conflict(
        _ fault: UndoFault, step index: Int, captured: [RawAnswer], written: JSON?, now: StateValue
    ) -> UndoConflict? {
        guard fault.kind == .changedSince else { return nil }
        let call = (try? restoringCall(captured)).map { restoring in
            var call = restoring
            call.precondition = precondition(of: restoring, now: now)
            return call
        }
        let differences = pathsWritten.flatMap { path in
            difference(
                path, before(path), sent(at: path) ?? written?[path.description],
                now[path] == .absent ? nil : document(now[path].json))
        }
        return UndoConflict(
            step: index, reason: fault.description,
            differences: differences.sorted { $0.path.precedesInUTF8($1.path) }, call: call)
    }

    /// What the plan knew of a path before the step.
    private func before(_ path: PropertyPath) -> JSON? {
        if let document = undo.document { return document.before }
        guard case .restore(_, _, _, let before) = undo.means, let before else { return nil }
        if let whole = before[path.description] { return whole.isNull ? nil : whole }
        let known = JSON.object(before.object ?? JSONObject())
        for section in writes where path.steps.starts(with: section.steps) {
            let rest = PropertyPath(Array(path.steps.dropFirst(section.steps.count)))
            return known[section.description].flatMap { $0[rest] }
        }
        return nil
    }

    /// Of a document that stands there as a text, the document.
    private func document(_ json: JSON) -> JSON { json.string.flatMap { JSON.document(in: $0) } ?? json }

    private func difference(
        _ path: PropertyPath, _ before: JSON?, _ written: JSON?, _ now: JSON?
    ) -> [UndoDifference] {
        difference(path.description, path, [before, written, now])
    }

    /// - Parameters:
    ///   - name: the path as people read it.
    ///   - values: before, written, now.
    private func difference(_ name: String, _ path: PropertyPath, _ values: [JSON?]) -> [UndoDifference] {
        if values.allSatisfy({ $0 == values[0] }) { return [] }
        // Where one of the three has nothing, the others are shown whole.
        let there = values.compactMap { $0 }
        if there.allSatisfy({ $0.object != nil }), there.count == values.count {
            return names(there).flatMap { member in
                difference("\(name).\(member)", path.appending(.name(member)), values.map { $0?[member] })
            }
        }
        if there.allSatisfy({ $0.array != nil }), there.count == values.count {
            return elements(name, path, values.map { $0?.array ?? [] })
        }
        return [UndoDifference(path: name, before: values[0], written: values[1], now: values[2])]
    }

    private func names(_ values: [JSON]) -> [String] {
        var seen: Set<String> = []
        return values.flatMap { $0.object?.names ?? [] }.filter { seen.insert($0).inserted }
    }

    /// Elements by their keys; those of a list without keys are told apart by all that is in them.
    private func elements(_ name: String, _ path: PropertyPath, _ lists: [[JSON]]) -> [UndoDifference] {
        func key(_ element: JSON) -> String {
            keys.key(of: element, in: path.withoutIndexes) ?? element.canonicalText
        }
        var seen: Set<String> = []
        let all = lists.flatMap { $0 }.map { (key($0), $0) }.filter { seen.insert($0.0).inserted }
        return all.flatMap { found, element -> [UndoDifference] in
            let values = lists.map { $0.first { key($0) == found } }
            let isKeyed = keys.key(of: element, in: path.withoutIndexes) != nil
            let place = isKeyed ? "\(name)[\(found)]" : "\(name)[]"
            return difference(place, path.appending(.each), values)
        }
    }
}
