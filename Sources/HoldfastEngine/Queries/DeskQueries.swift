package import HoldfastCore
internal import HoldfastCrypto
package import HoldfastJSON

/// What people see of plans, runs and what stands in their way.
extension Archive {
    /// What waits for people: plans, then campaigns.
    func approvals() throws(JournalError) -> [JSON] {
        var found: [JSON] = []
        for ask in try journal.asks() { found.append(try json(of: ask)) }
        for campaign in try journal.campaigns() where campaign.state == .proposed {
            found.append(try json(of: campaign))
        }
        return found
    }

    private func json(of ask: Ask) throws(JournalError) -> JSON {
        var json = ask.prompt.json.object ?? JSONObject()
        json["kind"] = "plan"
        json["opened"] = .string(ask.opened.description)
        json["asked"] = .string(ask.prompt.roles.indices.contains(ask.level) ? ask.prompt.roles[ask.level] : "")
        json["next"] = .string(ask.next.description)
        json["told"] = .bool(!ask.mustPrompt)
        json["words"] = .array(try journal.approvals(of: ask.digest).map(\.json))
        return .object(json)
    }

    private func json(of campaign: Campaign) throws(JournalError) -> JSON {
        var json = campaign.json.object ?? JSONObject()
        json["kind"] = "campaign"
        json["words"] = .array(try journal.approvals(of: campaign.id).map(\.json))
        return .object(json)
    }

    /// A plan by its digest or the beginning of it, with everything that a person decides by.
    func plan(beginning text: String) throws(JournalError) -> Result<JSON, QueryError> {
        if let campaign = try journal.campaigns().first(where: { $0.id == text }) {
            return .success(try json(of: campaign))
        }
        guard text.utf8.count >= 8, text.allSatisfy({ $0.isHexDigit && !$0.isUppercase }) else {
            return .failure(QueryError(.malformed, "\(text) is no plan's digest: 8 of its digits at least"))
        }
        let found = try journal.plans(beginning: text, limit: 2)
        guard let plan = found.first else {
            return .failure(QueryError(.unknown, "there is no plan \(text); `holdfast approvals` lists what waits"))
        }
        guard found.count == 1 || found[1].digest == plan.digest else {
            return .failure(QueryError(.malformed, "more than one plan begins with \(text); give more of its digits"))
        }
        var json = JSONObject([("kind", "plan"), ("digest", .string(plan.digest)), ("finding", .string(plan.finding))])
        if let ask = try journal.asks().first(where: { $0.digest == plan.digest }) {
            json["ask"] = try self.json(of: ask)
        }
        json["about"] = try about(finding: plan.finding)
        json["words"] = .array(try journal.approvals(of: plan.digest).map(\.json))
        json["runs"] = .array(
            try journal.runs(of: plan.finding).filter { $0.planDigest == plan.digest }.map(\.json))
        return .success(.object(json))
    }

    /// A finding with why nothing, or something, is done about it; `nil` where there is none.
    func about(finding id: String) throws(JournalError) -> JSON? {
        guard let stored = try journal.finding(id: id) else { return nil }
        var json = JSONObject([("finding", stored.body)])
        if let rule = policy.baseline.rule(stored.rule) {
            json["rule"] = ["id": .string(rule.id), "title": .string(rule.title), "why": .string(rule.why)]
        }
        json["plan"] = try journal.plan(finding: id)?.body ?? .null
        json["decision"] = try journal.decision(of: id)?.json ?? .null
        json["runs"] = .array(try journal.runs(of: id).map(\.json))
        json["hold"] = try journal.hold(of: id)?.json ?? .null
        let opened = try journal.opening(of: id) ?? .distantPast
        json["objections"] = .array(try journal.objections(to: id).filter { $0.at >= opened }.map(\.json))
        json["told"] = .array(try journal.tellings(of: id, since: opened).map(\.json))
        json["care"] = try journal.care(of: id)?.json ?? .null
        return .object(json)
    }

    /// Where each playbook stands in each environment, as it is now.
    func rollout(now: Timestamp) throws(JournalError) -> [JSON] {
        var facts = try FactsReader(policy: policy, journal: journal, now: now, haltFile: nil)
        let settings = policy.remediation
        var rows: [JSON] = []
        for playbook in policy.playbooks.all {
            let digest = playbook.digest.description
            var places: [JSON] = []
            for environment in settings.environments {
                let standing = try facts.rollout(
                    .init(digest: "", playbook: playbook.id, playbookDigest: digest, risk: playbook.risk), environment)
                let before = settings.environment(before: environment)
                let lack = standing.lack(settings.rollout, before: before, now: now)
                let undone = try journal.lastUndone(playbookDigest: digest, environment: environment)
                let record = try journal.record(digest, environment, since: undone)
                places.append([
                    "environment": .string(environment), "open": .bool(lack == nil),
                    "lacks": lack.map { .string($0.what) } ?? .null, "verified": .number(JSONNumber(record.verified)),
                    "drills": .number(JSONNumber(record.drills)),
                    "last-undone": record.lastUndone.map { .string($0.description) } ?? .null,
                    "opened-by": .array(standing.openedBy.map(JSON.string)),
                ])
            }
            rows.append([
                "playbook": .string(playbook.id), "title": .string(playbook.title),
                "risk": .string(playbook.risk.rawValue), "digest": .string(digest), "environments": .array(places),
            ])
        }
        return rows
    }
}

extension Approval {
    package var json: JSON {
        [
            "digest": .string(digest), "word": .string(word.rawValue), "person": .string(person),
            "roles": .array(roles.map(JSON.string)), "reason": .string(reason), "at": .string(at.description),
            "expires": .string(expires.description), "via": .string(via),
        ]
    }
}

extension Halt {
    package var json: JSON {
        [
            "part": .string(part.description), "by": .string(by), "reason": .string(reason),
            "at": .string(at.description),
        ]
    }
}

extension Hold {
    package var json: JSON {
        [
            "finding": .string(finding), "by": .string(by), "reason": .string(reason),
            "until": .string(until.description),
        ]
    }
}

extension Campaign {
    package var json: JSON {
        [
            "digest": .string(id), "id": .string(id), "playbook": .string(playbook),
            "playbook-digest": .string(playbookDigest), "scope": .string(scope), "state": .string(state.rawValue),
            "wave": .number(JSONNumber(wave)), "proposed-by": .string(proposedBy),
            "proposed": .string(proposed.description), "reason": .string(reason),
            "items": .array(items.map { ["finding": .string($0.finding), "plan": .string($0.plan)] }),
        ]
    }
}
