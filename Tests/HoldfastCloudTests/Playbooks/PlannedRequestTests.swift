import HoldfastFiles
import HoldfastHTTP
import HoldfastJSON
import TestOracles
import Testing

@testable import HoldfastCloud
@testable import HoldfastCore

@Suite(
    "Requests of playbooks against the providers' clients",
    .enabled(if: Oracle.python != nil, "HOLDFAST_TEST_PYTHON is not set; Tests/servers/python.sh prints it"))
struct PlannedRequestTests {
    /// A call as a playbook plans it.
    private struct Planned {
        var playbook: String
        var call: PlannedCall
        var context: ResourceContext
        var parameters: JSONObject

        var line: String {
            JSON.object(
                JSONObject([
                    ("cloud", .string(context.cloud.rawValue)), ("call", .string(call.name)),
                    ("request", .string(call.request)), ("region", .string(context.region)),
                    ("parameters", .object(parameters)),
                ])
            ).canonicalText
        }
    }

    /// Every call that the playbooks' own tests plan: of the steps, of what undoes them, and of the alternatives.
    private func planned() throws -> [Planned] {
        var found: [Planned] = []
        for (playbook, plan) in Shipped.data.playbooks.testedPlans {
            for step in plan.steps + plan.alternatives.flatMap(\.steps) {
                for call in try [step.call] + undoes(of: step, plan) {
                    let parameters = try #require(Shipped.catalog.call(call.name)).parameters(of: call)
                    found.append(Planned(playbook: playbook, call: call, context: plan.context, parameters: parameters))
                }
            }
        }
        return found
    }

    /// What takes a step back: with something captured, and with nothing there before.
    private func undoes(of step: PlannedStep, _ plan: Plan) throws -> [PlannedCall] {
        let undo = StepUndo(
            step.call, writes: step.writes, undo: step.undo, of: plan.resource.type, catalog: Shipped.catalog)
        switch step.undo.means {
        case .none: return []
        case .call(let call):
            return [
                try undo.action(captured: [], answer: ["FlowLogIds": ["fl-0a1b"]], now: .absent).call ?? call
            ]
        case .inverseEdit: return try captures(for: step, plan).map { try undo.restoringCall([$0]) }
        case .restore(_, _, let whenAbsent, _):
            return try captures(for: step, plan).filter { $0.isThere || whenAbsent != nil }
                .map { try undo.restoringCall([$0]) }
        }
    }

    /// What the read of a step's section may have given, in the provider's shape.
    private func captures(for step: PlannedStep, _ plan: Plan) throws -> [RawAnswer] {
        var name = step.call.name
        if case .restore(_, let with, _, _) = step.undo.means { name = with }
        guard let restore = Shipped.catalog.call(name)?.restore,
            let read = Shipped.catalog.type(plan.resource.type)?.read.first(where: { $0.call == restore.from })
        else { return [] }
        let parameters = try #require(
            ReadRun(plan.resource, of: alone(read, plan), at: plan.context)?.firstRequest?.parameters)
        let given = try #require(read.example, "\(restore.from) has no test with an answer")
        let hasInverse = Shipped.catalog.call(name)?.inverseWhenAbsent != nil
        return [RawAnswer(call: restore.from, parameters: parameters, outcome: .answer(given))]
            + (hasInverse ? [RawAnswer(call: restore.from, parameters: parameters, outcome: .absent(code: "No"))] : [])
    }

    private func alone(_ step: ReadStep, _ plan: Plan) throws -> ResourceType {
        var type = try #require(Shipped.catalog.type(plan.resource.type))
        type.read = [step]
        return type
    }

    @Test("Each call of each playbook, and each that undoes one, is the request that the provider's client makes")
    func requests() throws {
        let planned = try planned()
        let folder = try TemporaryFolder()
        let file = try folder.write("calls.jsonl", planned.map(\.line).joined(separator: "\n") + "\n")
        let lines = try Oracle.lines("planned_requests.py", [file])
        #expect(lines.count == planned.count && planned.count >= 100)
        for (own, theirs) in zip(planned, lines) {
            let faults = try differences(own, theirs)
            if !faults.isEmpty {
                Issue.record("\(own.playbook): \(own.line): \(faults.joined(separator: "; "))")
            }
        }
        let covered = Set(planned.map(\.call.name))
        let calls = Set(Shipped.data.playbooks.all.flatMap(\.calls.keys))
        #expect(calls.subtracting(covered).sorted() == [])
        #expect(Set(planned.map(\.playbook)) == Set(Shipped.data.playbooks.all.map(\.id)))
    }

    @Test("The session of each AWS call may do this call on what it acts on, by a linter of policies")
    func sessionPolicies() throws {
        let planned = try planned().filter { $0.context.cloud == .aws }
        let policies = try planned.map { planned in
            let call = try #require(Shipped.catalog.call(planned.call.name))
            return call.sessionPolicy(planned.parameters, in: planned.context).canonicalText
        }
        let folder = try TemporaryFolder()
        let file = try folder.write("policies.jsonl", policies.joined(separator: "\n") + "\n")
        let found = try Oracle.lines("session_policies.py", [file])
        #expect(found.count == planned.count && planned.count >= 60)
        // Who may mend a policy may also spoil it: the one cannot be had without the other.
        let inherent = [
            "RESOURCE_POLICY_PRIVILEGE_ESCALATION", "PRIVILEGE_ESCALATION", "PERMISSIONS_MANAGEMENT_ACTIONS",
        ]
        var wide: Set<String> = []
        for ((own, policy), issues) in zip(zip(planned, policies), found) {
            let words = (issues.array ?? []).compactMap(\.string).filter { !inherent.contains($0) }
            #expect(words.filter { $0 != "RESOURCE_STAR" } == [], "\(own.call.name) \(policy)")
            if words.contains("RESOURCE_STAR") { wide.insert(own.call.name) }
            #expect(policy.utf8.count <= 2048, "AWS takes no longer session policy: \(own.call.name)")
        }
        // Beside the call itself AWS asks for rights on what the catalog cannot name.
        #expect(wide.sorted() == ["ec2.CreateFlowLogs"])
    }

    private func differences(_ own: Planned, _ theirs: JSON) throws -> [String] {
        var found = theirs["faults"]?.array?.compactMap(\.string) ?? []
        let call = try WireCatalog.call(own.call.name)
        let sender = WireSender(
            catalog: WireCatalog.shipped, http: NoExchange(), authority: NoAuthority(), clock: StillClock(),
            newToken: { "token" })
        let region = own.context.region.isEmpty && own.context.cloud == .aws ? "us-east-1" : own.context.region
        let scope = CallScope(
            cloud: own.context.cloud, account: own.context.account, region: region, access: .write)
        let (request, signingName, signed) = try sender.request(of: call, parameters: own.parameters, in: scope)
        func compare(_ what: String, _ ours: String, _ other: String?) {
            if ours != other { found.append("\(what) is \(ours), and the client has \(other ?? "none")") }
        }
        let url = SplitURL(request.url)
        compare("method", request.method, theirs["method"]?.string)
        compare("host", url.host, theirs["host"]?.string)
        compare("path", url.path, theirs["path"]?.string)
        compare("query", url.query, theirs["query"]?.canonicalText)
        if call.isAWS {
            compare("signed", [signed.region, signingName].joined(separator: " "), theirs["signed"]?.texts)
            let body = bytes(fromBase64: theirs["body"]?.string ?? "") ?? []
            compare("body", try form(request.body, call), try form(body, call))
        } else {
            let body = request.body.isEmpty ? JSON.null : try JSON.parse(request.body)
            compare("body", body.canonicalText, (theirs["json"] ?? .null).canonicalText)
        }
        return found
    }

    /// A body in a form in which the two can be compared.
    private func form(_ body: [UInt8], _ call: CloudCall) throws -> String {
        let text = String(decoding: body, as: UTF8.self)
        switch call.wire {
        case .query, .ec2: return SplitURL("http://x/?\(text)").query
        case .restXML where text.hasPrefix("<"): return "\(try XMLReader.read(body))"
        case .restXML: return text
        default: return body.isEmpty ? "" : try JSON.parse(body).canonicalText
        }
    }
}

extension UndoAction {
    var call: PlannedCall? { if case .call(let call) = self { call } else { nil } }
}

extension RawAnswer {
    fileprivate var isThere: Bool { if case .answer = outcome { true } else { false } }
}

extension JSON {
    fileprivate var texts: String? { array.map { $0.compactMap(\.string).joined(separator: " ") } }
}

extension ReadStep {
    /// An answer of its tests that is no refusal.
    fileprivate var example: JSON? {
        tests.lazy.map(\.given).first { $0["error"] == nil && $0.object?.isEmpty == false }
    }
}

extension ReadRun {
    fileprivate var firstRequest: CallRequest? {
        var run = self
        return run.next().first
    }
}
