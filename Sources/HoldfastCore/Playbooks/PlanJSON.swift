internal import HoldfastCrypto
package import HoldfastJSON

extension Plan {
    /// The whole plan, for machines and for the journal.
    package var json: JSON {
        var object = JSONObject()
        object["finding"] = .string(finding)
        object["rule"] = .string(rule)
        object["resource"] = ["type": .string(resource.type), "id": .string(resource.id)]
        object["cloud"] = .string(context.cloud.rawValue)
        object["account"] = .string(context.account)
        object["region"] = .string(context.region)
        object["incarnation"] = .string(incarnation)
        object["playbook"] = .string(playbook)
        object["playbookDigest"] = .string(playbookDigest.description)
        object["title"] = .string(title)
        object["risk"] = .string(risk.rawValue)
        object["digest"] = .string(digest.description)
        object["undo"] = undo.json
        object["steps"] = .array(steps.map(\.json))
        object["edits"] = .array(edits.map(\.json))
        object["warnings"] = .array(warnings.map(JSON.string))
        object["alternatives"] = .array(alternatives.map(\.json))
        object["tellsActor"] = .bool(tellsActor)
        object["grace"] = grace.map { JSON.string($0.phrase) }
        return .object(object)
    }
}

extension PlanOutcome {
    /// `{"outcome": "plan" | "proposal" | "nothing", "reason", "plan"}`.
    package var json: JSON {
        switch self {
        case .plan(let plan): ["outcome": "plan", "plan": plan.json]
        case .proposal(let reason, let plan):
            ["outcome": "proposal", "reason": .string(reason), "plan": plan?.json ?? .null]
        case .nothing(let reason): ["outcome": "nothing", "reason": .string(reason)]
        }
    }
}

extension UndoGrade {
    package var json: JSON {
        switch self {
        case .exact: ["grade": "exact"]
        case .equivalent(let loses): ["grade": "equivalent", "loses": .string(loses)]
        case .irreversible(let reason): ["grade": "irreversible", "reason": .string(reason)]
        }
    }
}

extension PlannedCall {
    package var json: JSON {
        [
            "call": .string(name), "request": .string(request), "permission": .string(permission),
            "parameters": .object(parameters),
        ]
    }
}

extension PlannedStep {
    fileprivate var json: JSON {
        var object = call.json.object ?? JSONObject()
        object["why"] = .string(why)
        object["item"] = item.map { JSON.string($0) }
        object["writes"] = .array(writes.map { .string($0.description) })
        object["ifMatch"] = precondition.map { ["reference": .string($0.reference), "value": $0.value] }
        object["verify"] = .string(verify)
        object["undo"] = undo.json
        return .object(object)
    }
}

extension PlannedUndo {
    package var json: JSON {
        var object = grade.json.object ?? JSONObject()
        switch means {
        case .call(let call): for member in call.json.object?.members ?? [] { object[member.name] = member.value }
        case .restore(let paths, let with, let whenAbsent, let before):
            object["restores"] = .array(paths.map { .string($0.description) })
            object["call"] = .string(with)
            object["whenAbsent"] = whenAbsent.map(JSON.string)
            object["before"] = before
        case .inverseEdit(let name, let changes):
            object["edit"] = .string(name)
            object["changes"] = .array(changes.map(\.json))
        case .none: break
        }
        return .object(object)
    }
}

extension RenderedEdit {
    fileprivate var json: JSON {
        [
            "name": .string(name), "section": .string(section.description), "before": before ?? .null, "after": after,
            "changes": .array(changes.map(\.json)), "isText": .bool(isText),
        ]
    }
}

extension EditChange {
    package var json: JSON {
        var object = JSONObject([("path", .string(path.description))])
        object["before"] = before
        object["after"] = after
        return .object(object)
    }
}
