internal import HTTPTypes
internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastJSON
internal import Hummingbird

/// The pages that people decide on.
struct PageRoutes: Sendable {
    let desk: Desk
    let doorkeeper: Doorkeeper
    let cookies: Cookies

    func add(to group: RouterGroup<Visit>) {
        group.get("/") { _, _ in Response.found("/approvals") }
        group.get("approvals") { _, visit in try await approvals(visit) }
        group.post("approvals") { _, visit in try await sayAll(visit) }
        group.get("plans/:digest") { _, visit in try await plan(visit) }
        group.post("plans/:digest") { _, visit in try await say(visit, "digest", back: "/plans/") }
        group.get("campaigns/:id") { _, visit in try await campaign(visit) }
        group.post("campaigns/:id") { _, visit in try await say(visit, "id", back: "/campaigns/") }
        group.get("findings") { request, visit in try await findings(request, visit) }
        group.get("findings/:id") { _, visit in try await finding(visit) }
        group.post("findings/:id") { _, visit in try await care(visit) }
        group.get("exemptions") { _, visit in try await exemptions(visit) }
        group.get("rollout") { _, visit in try await rollout(visit) }
        group.get("runs") { _, visit in try await runs(visit) }
        group.get("runs/:id") { _, visit in try await run(visit) }
        group.post("runs/:id/undo") { _, visit in try await undo(visit) }
        group.post("sign-out") { request, _ in await signOut(request) }
    }

    // MARK: Reading

    private func ask(_ query: Query, _ page: Page = Page()) async throws(Refusal) -> Answer {
        do throws(QueryError) { return try await desk.archive().answer(query, page) } catch {
            throw Refusal(error)
        }
    }

    private func one(_ query: Query) async throws(Refusal) -> JSON {
        guard case .one(let json) = try await ask(query) else { throw .notFound("there is no such thing") }
        return json
    }

    private func list(_ query: Query) async throws(Refusal) -> [JSON] {
        guard case .list(let items, _) = try await ask(query) else { return [] }
        return items
    }

    private func layout(_ visit: Visit) async throws(Refusal) -> Layout {
        let halts: [Halt]
        do throws(JournalError) { halts = try await desk.archive().journal.halts() } catch {
            throw Refusal(503, "journal-failed", error.message, retryAfter: 10)
        }
        return Layout(moments: Moments(now: desk.now()), session: visit.session, halts: halts)
    }

    private func approvals(_ visit: Visit) async throws -> Response {
        .page(ApprovalsPage(layout: try await layout(visit), items: try await list(.approvals)).html)
    }

    private func plan(_ visit: Visit) async throws -> Response {
        let digest = try visit.parameters.require("digest")
        let json = try await one(.planOf(digest: digest))
        // Links carry the whole digest.
        if let whole = json["digest"]?.string, whole != digest { return .found("/plans/\(whole)") }
        return .page(PlanPage(json, layout: try await layout(visit)).html)
    }

    private func campaign(_ visit: Visit) async throws -> Response {
        let id = try visit.parameters.require("id")
        guard let json = try await list(.campaigns).first(where: { $0["id"]?.string == id }) else {
            throw Refusal.notFound("there is no campaign \(printable(id))")
        }
        var object = json.object ?? JSONObject()
        if json["state"] == "proposed" { object = try await one(.planOf(digest: id)).object ?? object }
        return .page(CampaignPage(layout: try await layout(visit), json: .object(object)).html)
    }

    private func findings(_ request: Request, _ visit: Visit) async throws -> Response {
        let after = (Address.pairs(request.uri.query ?? "") ?? []).first { $0.name == "after" }?.value ?? ""
        var filter = FindingFilter()
        filter.open = true
        guard case .list(let items, let next) = try await ask(.findings(filter), Page(after: after, limit: 50)) else {
            throw Refusal.notFound("there is no such list")
        }
        let findings = items.compactMap(Finding.init(json:))
        return .page(FindingPages.list(findings, next: next, layout: try await layout(visit)))
    }

    private func finding(_ visit: Visit) async throws -> Response {
        let json = try await one(.why(finding: try visit.parameters.require("id")))
        let people = desk.rules.people.identities.map(\.person)
        return .page(FindingPages.page(json, people: people, layout: try await layout(visit)))
    }

    private func rollout(_ visit: Visit) async throws -> Response {
        .page(RolloutPage.html(try await list(.rollout), layout: try await layout(visit)))
    }

    private func exemptions(_ visit: Visit) async throws -> Response {
        let year = Query.exemptions(due: Exemption.longest)
        return .page(ExemptionsPage.html(try await list(year), layout: try await layout(visit)))
    }

    private func runs(_ visit: Visit) async throws -> Response {
        let runs = try await list(.runs).compactMap(Run.init(json:))
        return .page(RunPages.list(runs, layout: try await layout(visit)))
    }

    private func run(_ visit: Visit) async throws -> Response {
        guard let run = Run(json: try await one(.run(try visit.parameters.require("id")))) else {
            throw Refusal.notFound("this run cannot be read")
        }
        return .page(RunPages.page(run, layout: try await layout(visit)))
    }

    // MARK: Deciding

    private func asked(_ visit: Visit) throws(Refusal) -> (form: Form, caller: Caller) {
        guard let form = visit.form, let caller = visit.caller else { throw .unauthenticated("sign in first") }
        return (form, caller)
    }

    private func say(_ digests: [String], _ form: Form, _ caller: Caller) async throws(Refusal) {
        guard let word = Approval.Word(rawValue: form.text("word")) else { throw .malformed("choose what to say") }
        let reason = try form.reason()
        guard word == .approve || reason.contains(where: { !$0.isWhitespace }) else {
            throw .malformed("give a reason: whoever reads this tomorrow needs it")
        }
        let until = word == .hold ? Desk.morning(after: desk.now()) : nil
        _ = try await desk.say(word, on: digests, by: caller, reason: reason, until: until)
    }

    private func say(_ visit: Visit, _ name: String, back: String) async throws -> Response {
        let (form, caller) = try asked(visit)
        let digest = try visit.parameters.require(name)
        try await say([digest], form, caller)
        return .found(back + percentEncoded(digest))
    }

    private func sayAll(_ visit: Visit) async throws -> Response {
        let (form, caller) = try asked(visit)
        let digests = form.texts("digest")
        guard !digests.isEmpty else { throw Refusal.malformed("mark the plans that you mean") }
        try await say(digests, form, caller)
        return .found("/approvals")
    }

    private func care(_ visit: Visit) async throws -> Response {
        let (form, caller) = try asked(visit)
        let id = try visit.parameters.require("id")
        switch form.text("do") {
        case "acknowledge": try await desk.acknowledge(id, by: caller, note: try form.reason("note"))
        case "assign": try await desk.assign(id, to: form.text("to"), by: caller, note: try form.reason("note"))
        default: throw Refusal.malformed("choose what to do")
        }
        return .found("/findings/\(percentEncoded(id))")
    }

    private func undo(_ visit: Visit) async throws -> Response {
        let (form, caller) = try asked(visit)
        let id = try visit.parameters.require("id")
        let reason = try form.reason()
        guard reason.contains(where: { !$0.isWhitespace }) else { throw Refusal.malformed("give a reason") }
        do throws(Refusal) {
            try await desk.undo(id, by: caller, reason: reason, accepting: form.text("accept"))
        } catch {
            // The run's page shows the difference, and asks.
            if error.difference == nil { throw error }
        }
        return .found("/runs/\(percentEncoded(id))")
    }

    private func signOut(_ request: Request) async -> Response {
        if let id = cookies.value(cookies.session, in: request) { await doorkeeper.end(id) }
        var response = Response.found("/sign-in")
        cookies.clear(cookies.session, on: &response)
        return response
    }
}
