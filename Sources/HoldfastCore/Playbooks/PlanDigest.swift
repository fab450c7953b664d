internal import HoldfastCrypto
internal import HoldfastJSON

/// What an approval is for, as one digest.
struct PlanDigest {
    let playbook: Playbook
    let request: PlanRequest
    let edits: [RenderedEdit]
    let steps: [PlanRenderer.RenderedStep]

    var value: SHA256Digest { sha256(content.canonicalBytes) }

    var content: JSON {
        .object(
            JSONObject([
                ("resource", .array([.string(request.resource.type), .string(request.resource.id)])),
                ("incarnation", .string(request.incarnation)),
                ("playbook", .string(playbook.digest.description)),
                ("calls", .array(steps.map { .array([.string($0.planned.call.name), $0.digested]) })),
                (
                    "edits",
                    .array(edits.map { .array([.string($0.section.description), .array($0.changes.map(digested))]) })
                ),
                (
                    "values",
                    .object(JSONObject(paths.compactMap { path in value(at: path).map { (path.description, $0) } }))
                ),
            ]))
    }

    /// An edit's change without the index at which it stands: others may add or remove elements beside it.
    private func digested(_ change: EditChange) -> JSON {
        .array([.string(change.path.withoutIndexes.description), change.before ?? .null, change.after ?? .null])
    }

    /// The paths that the rule read and the steps write, each once, without those below another. A rule that may read
    /// anything is there with the root, which covers no other.
    private var paths: [PropertyPath] {
        let all = Set(request.ruleReads + steps.flatMap(\.planned.writes)).sorted()
        return all.filter { path in !all.contains { $0 != path && !$0.isRoot && path.hasPrefix($0) } }
    }

    /// `nil` where the edits or the offending elements say it: what else stands there may change.
    private func value(at path: PropertyPath) -> JSON? {
        if edits.contains(where: { !path.isRoot && ($0.section.hasPrefix(path) || path.hasPrefix($0.section)) }) {
            return nil
        }
        let elements = request.offending.filter { $0.path.hasPrefix(path) && $0.path.steps.count > path.steps.count }
        let isByElement = elements.contains { offending in
            offending.path.steps.dropFirst(path.steps.count).contains { if case .index = $0 { true } else { false } }
        }
        guard isByElement || path.isRoot else { return digested(request.document.projected(path.steps[...])) }
        return .array(
            elements.map { offending in
                .array([.string(offending.path.withoutIndexes.description), digested(request.document[offending.path])])
            })
    }

    /// Known values as they are; what is not known is told from what is absent.
    private func digested(_ value: StateValue) -> JSON {
        if value.unknownReason != nil { return ["unknown": true] }
        return value == .absent ? .null : ["is": value.json]
    }
}

extension PropertyPath {
    /// With each index replaced by `[]`.
    var withoutIndexes: PropertyPath {
        PropertyPath(steps.map { step in if case .index = step { .each } else { step } })
    }
}

extension Playbook {
    /// Over what is done and with which calls; see ``digest``.
    ///
    /// - Parameter file: what it was read from.
    func digest(of file: Node) -> SHA256Digest {
        let steps = file["steps"]?.withoutWhy.json ?? .null
        let alternatives = (file["alternatives"]?.list ?? []).map { $0["steps"]?.withoutWhy.json ?? .null }
        let content = JSONObject([
            ("for", .string(type.name)), ("steps", steps), ("alternatives", .array(alternatives)),
            ("edits", file["edits"]?.json ?? .null), ("choose", file["choose"]?.json ?? .null),
            ("needs", file["needs"]?.json ?? .null),
            ("calls", .array(calls.values.sorted { $0.name < $1.name }.map(\.digested))),
        ])
        return sha256(JSON.object(content).canonicalBytes)
    }
}

extension CloudCall {
    fileprivate var digested: JSON {
        .object(
            JSONObject([
                ("name", .string(name)), ("protocol", .string(wire.rawValue)), ("request", .string(request)),
                ("permission", .string(permission)), ("idempotent", .bool(isIdempotent)),
                ("parameters", .array(parameters.map(JSON.string))),
                ("reads", .array(reads.map { .string($0.description) })),
                ("writes", .array(writes.map { .string($0.description) })),
                ("inverse", inverseWhenAbsent.map(JSON.string) ?? .null),
                (
                    "precondition",
                    .array([.string(precondition), .string(preconditionPlace?.description ?? "")])
                ), ("restore", restore?.digested ?? .null),
                ("read-only", .array(readOnlyPaths.map { .string($0.description) })),
                ("already-done", .array(alreadyDone.map(JSON.string))),
                ("not-applied", .array(notApplied.map(JSON.string))),
            ]))
    }
}

extension Node {
    /// A list of steps without what is said in them for people.
    fileprivate var withoutWhy: Node {
        guard let steps = list else { return self }
        let kept = steps.map { step in
            guard let entries = step.entries else { return step }
            return Node(.map(entries.filter { $0.key != "why" }), at: step.place)
        }
        return Node(.list(kept), at: place)
    }
}
