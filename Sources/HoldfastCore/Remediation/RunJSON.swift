package import HoldfastJSON

extension Run {
    /// As the journal keeps it.
    package var json: JSON {
        var object = JSONObject([
            ("id", .string(id)), ("finding", .string(finding)), ("rule", .string(rule)),
            ("resource", .string(resource.id)), ("type", .string(resource.type)),
            ("incarnation", .string(incarnation)), ("cloud", .string(context.cloud.rawValue)),
            ("account", .string(context.account)), ("region", .string(context.region)),
            ("environment", .string(environment)), ("playbook", .string(playbook)),
            ("playbook-digest", .string(playbookDigest)), ("plan", .string(planDigest)),
            ("risk", .string(risk.rawValue)), ("campaign", .string(campaign)),
            ("steps", .array(steps.map(\.json))), ("opened", .string(opened.description)),
            ("phase", .string(phase.rawValue)), ("direction", .string(direction.rawValue)),
            ("cursor", .number(JSONNumber(cursor))), ("attempts", .number(JSONNumber(attempts))),
            ("not-before", .string(notBefore.description)), ("reason", .string(reason)),
            ("undone-by", .string(undoneBy)), ("failed", .bool(hasFailed)),
            ("waiting", .string(waiting)), ("in-doubt", .bool(isInDoubt)),
        ])
        object["begun"] = begun.map { .string($0.description) }
        object["deadline"] = deadline.map { .string($0.description) }
        object["ended"] = ended.map { .string($0.description) }
        object["drill"] = drill.isEmpty ? nil : .string(drill)
        object["plants"] = plants ? true : nil
        object["conflict"] = conflict?.json
        object["accepted"] = accepted.isEmpty ? nil : .string(accepted)
        object["operation"] = operation.map {
            ["token": $0.token, "ask-after": .number(JSONNumber(Int($0.askAfter.nanoseconds)))]
        }
        return .object(object)
    }

    /// Reads ``json``; `nil` where a part is missing.
    package init?(json: JSON) {
        func text(_ name: String) -> String? { json[name]?.string }
        func time(_ name: String) -> Timestamp? { text(name).flatMap { Timestamp($0) } }
        guard let id = text("id"), let finding = text("finding"), let rule = text("rule"),
            let resource = text("resource"), let type = text("type"), let incarnation = text("incarnation"),
            let cloud = text("cloud").flatMap(Cloud.init), let account = text("account"), let region = text("region"),
            let environment = text("environment"), let playbook = text("playbook"),
            let playbookDigest = text("playbook-digest"), let plan = text("plan"),
            let risk = text("risk").flatMap(PlaybookRisk.init), let opened = time("opened"),
            let phase = text("phase").flatMap(Phase.init), let direction = text("direction").flatMap(Direction.init),
            let notBefore = time("not-before"), let steps = json["steps"]?.array
        else { return nil }
        self.id = id
        self.finding = finding
        self.rule = rule
        self.resource = ResourceID(type: type, id: resource)
        self.incarnation = incarnation
        context = ResourceContext(cloud: cloud, account: account, region: region)
        self.environment = environment
        self.playbook = playbook
        self.playbookDigest = playbookDigest
        planDigest = plan
        self.risk = risk
        campaign = text("campaign") ?? ""
        drill = text("drill") ?? ""
        plants = json["plants"] == true
        self.steps = steps.compactMap(RunStep.init(json:))
        guard self.steps.count == steps.count else { return nil }
        self.opened = opened
        self.phase = phase
        self.direction = direction
        cursor = json["cursor"]?.int ?? 0
        attempts = json["attempts"]?.int ?? 0
        self.notBefore = notBefore
        reason = text("reason") ?? ""
        undoneBy = text("undone-by") ?? ""
        hasFailed = json["failed"] == true
        waiting = text("waiting") ?? ""
        isInDoubt = json["in-doubt"] == true
        begun = time("begun")
        deadline = time("deadline")
        ended = time("ended")
        conflict = json["conflict"].flatMap(UndoConflict.init(json:))
        accepted = text("accepted") ?? ""
        operation = json["operation"].flatMap { operation in
            guard let wait = operation["ask-after"]?.int else { return nil }
            return AcceptedOperation(
                token: operation["token"] ?? .null, askAfter: Span(nanoseconds: Int64(wait)))
        }
    }
}

extension RunStep {
    package var json: JSON {
        var object = JSONObject([
            ("call", call.json), ("writes", .array(writes.map { .string($0.description) })), ("undo", undo.json),
            ("idempotent", .bool(isIdempotent)), ("state", .string(state.rawValue)),
            ("last-idempotent", .bool(lastCallIsIdempotent)), ("answer", answer),
            ("requests", .array(requests.map(JSON.string))),
        ])
        object["last-call"] = lastCall?.json
        object["written"] = written
        object["wait"] = waitAtMost.map { .number(JSONNumber(Int($0.nanoseconds))) }
        return .object(object)
    }

    package init?(json: JSON) {
        guard let call = json["call"].flatMap(PlannedCall.init(json:)),
            let undo = json["undo"].flatMap(PlannedUndo.init),
            let state = json["state"]?.string.flatMap(State.init), let writes = json["writes"]?.array
        else { return nil }
        self.call = call
        self.writes = writes.compactMap { $0.string.flatMap { PropertyPath($0) } }
        self.undo = undo
        self.state = state
        isIdempotent = json["idempotent"] == true
        lastCallIsIdempotent = json["last-idempotent"] == true
        lastCall = json["last-call"].flatMap(PlannedCall.init(json:))
        waitAtMost = json["wait"]?.int.map { Span(nanoseconds: Int64($0)) }
        answer = json["answer"] ?? .null
        written = json["written"]
        requests = json["requests"]?.array?.compactMap(\.string) ?? []
    }
}

extension PlannedUndo {
    /// Reads ``json``; `nil` where a part is missing.
    package init?(json: JSON) {
        guard let grade = UndoGrade(json: json) else { return nil }
        self.init(grade: grade, means: .none)
        document = json["document"].flatMap(EditedDocument.init(json:))
        precondition = json["ifMatch"]?.string
        if let restores = json["restores"]?.array, let with = json["call"]?.string {
            means = .restore(
                restores.compactMap { $0.string.flatMap { PropertyPath($0) } }, with: with,
                whenAbsent: json["whenAbsent"]?.string, before: json["before"])
        } else if let edit = json["edit"]?.string, let changes = json["changes"]?.array {
            means = .inverseEdit(edit, changes.compactMap(EditChange.init(json:)))
        } else if let call = PlannedCall(json: json) {
            means = .call(call)
        }
    }
}

extension UndoGrade {
    /// Reads ``json``.
    package init?(json: JSON) {
        switch json["grade"]?.string {
        case "exact": self = .exact
        case "equivalent": self = .equivalent(loses: json["loses"]?.string ?? "")
        case "irreversible": self = .irreversible(reason: json["reason"]?.string ?? "")
        default: return nil
        }
    }
}

extension EditChange {
    /// Reads ``json``.
    package init?(json: JSON) {
        guard let path = json["path"]?.string.flatMap({ PropertyPath($0) }) else { return nil }
        self.init(path: path, before: json["before"], after: json["after"])
    }
}
