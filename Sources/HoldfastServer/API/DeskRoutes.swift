internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastJSON
internal import Hummingbird

/// `POST /api/v1/…`: what people ask for.
struct DeskRoutes: Sendable {
    let desk: Desk
    let doorkeeper: Doorkeeper
    /// How browsers reach the server, for links.
    let url: @Sendable () async throws(Refusal) -> String

    func add(to group: RouterGroup<Visit>) {
        group.post("words") { try await words($0, $1) }
        group.post("halts") { try await halt($0, $1) }
        group.post("halts/resume") { try await resume($0, $1) }
        group.post("runs/:id/undo") { try await undo($0, $1) }
        group.post("rollout") { try await open($0, $1) }
        group.post("drills") { try await drill($0, $1) }
        group.post("campaigns") { try await propose($0, $1) }
        group.post("findings/:id/acknowledge") { try await acknowledge($0, $1) }
        group.post("findings/:id/assign") { try await assign($0, $1) }
        group.post("findings/:id/object") { try await object($0, $1) }
        group.post("findings/:id/object/withdraw") { try await withdraw($0, $1) }
        group.post("exemptions") { try await exempt($0, $1) }
        group.post("exemptions/preview") { try await previewExemption($0, $1) }
        group.post("exemptions/:id/:word") { try await sayOnExemption($0, $1) }
        group.post("links") { try await link($0, $1) }
        group.get("me") { _, visit in Response.json(try caller(visit).json) }
    }

    func caller(_ visit: Visit) throws(Refusal) -> Caller {
        guard let caller = visit.caller else { throw .unauthenticated("sign in first") }
        return caller
    }

    /// What was done, in a sentence, with what programs want to know.
    func done(_ sentence: String, _ more: JSONObject = JSONObject()) -> Response {
        var json = more
        json["done"] = .string(sentence)
        return .json(.object(json))
    }

    private func words(_ request: Request, _ visit: Visit) async throws -> Response {
        var wish = try await Wish(request)
        let text = try wish.text("word")
        guard let word = Approval.Word(rawValue: text) else {
            let known = Approval.Word.allCases.map(\.rawValue)
            throw Refusal.malformed("unknown word \"\(printable(text))\"\(suggestion(for: text, among: known))")
        }
        let digests = try wish.texts("digests")
        let reason = word == .approve ? try wish.optional("reason") ?? "" : try wish.reason()
        let until = try wish.moment("until")
        try wish.finish()
        let caller = try caller(visit)
        let whole = try await desk.say(word, on: digests, by: caller, reason: reason, until: until)
        let what = whole.count == 1 ? "the plan \(whole[0].prefix(12))" : "\(whole.count) plans"
        let said = [Approval.Word.approve: "approved", .refuse: "refused", .hold: "put on hold"][word] ?? ""
        return done("\(what) \(said) by \(caller.name)", JSONObject([("digests", .array(whole.map(JSON.string)))]))
    }

    private func halt(_ request: Request, _ visit: Visit) async throws -> Response {
        var wish = try await Wish(request)
        let (part, reason) = (try wish.optional("part") ?? "all", try wish.reason())
        try wish.finish()
        let halted = try await desk.halt(part, by: try caller(visit), reason: reason)
        return done("\(halted) is halted: nothing is written there until somebody resumes it")
    }

    private func resume(_ request: Request, _ visit: Visit) async throws -> Response {
        var wish = try await Wish(request)
        let (part, reason) = (try wish.optional("part") ?? "all", try wish.reason())
        try wish.finish()
        let resumed = try await desk.resume(part, by: try caller(visit), reason: reason)
        return done("\(resumed) goes on")
    }

    private func undo(_ request: Request, _ visit: Visit) async throws -> Response {
        var wish = try await Wish(request)
        let (reason, accept) = (try wish.reason(), try wish.optional("accept") ?? "")
        try wish.finish()
        let id = try visit.parameters.require("id")
        try await desk.undo(id, by: try caller(visit), reason: reason, accepting: accept)
        return done("run \(id) is being undone")
    }

    private func open(_ request: Request, _ visit: Visit) async throws -> Response {
        var wish = try await Wish(request)
        let (playbook, environment) = (try wish.text("playbook"), try wish.text("environment"))
        let reason = try wish.reason()
        try wish.finish()
        let people = try await desk.open(playbook, in: environment, by: try caller(visit), reason: reason)
        let names = people.joined(separator: " and ")
        let rest = people.count < 2 ? "; one more person must" : ": it is open"
        return done("\(playbook) in \(environment) was opened by \(names)\(rest)")
    }

    private func propose(_ request: Request, _ visit: Visit) async throws -> Response {
        var wish = try await Wish(request)
        let (playbook, scope, reason) = (try wish.text("playbook"), try wish.text("scope"), try wish.reason())
        let wave = try wish.number("wave", in: 1...100, default: 5)
        try wish.finish()
        let campaign = try await desk.propose(
            playbook, scope: scope, wave: wave, by: try caller(visit), reason: reason)
        let count = campaign.items.count
        return done(
            "campaign \(campaign.id) would fix \(count) finding\(count == 1 ? "" : "s"); somebody else approves it: "
                + "`holdfast approve \(campaign.id)`", JSONObject([("campaign", campaign.json)]))
    }

    private func drill(_ request: Request, _ visit: Visit) async throws -> Response {
        var wish = try await Wish(request)
        let (playbook, resource) = (try wish.text("playbook"), try wish.text("resource"))
        try wish.finish()
        let drill = try await desk.drill(playbook, on: resource, by: try caller(visit))
        return done("drill \(drill.id) of \(playbook) is held on \(resource)", JSONObject([("drill", drill.json)]))
    }

    private func acknowledge(_ request: Request, _ visit: Visit) async throws -> Response {
        var wish = try await Wish(request)
        let note = try wish.optional("note") ?? ""
        try wish.finish()
        let (id, caller) = (try visit.parameters.require("id"), try caller(visit))
        try await desk.acknowledge(id, by: caller, note: note)
        return done("\(id) was acknowledged by \(caller.name)")
    }

    private func assign(_ request: Request, _ visit: Visit) async throws -> Response {
        var wish = try await Wish(request)
        let (to, note) = (try wish.optional("to") ?? "", try wish.optional("note") ?? "")
        try wish.finish()
        let id = try visit.parameters.require("id")
        try await desk.assign(id, to: to, by: try caller(visit), note: note)
        return done(to.isEmpty ? "\(id) is nobody's" : "\(id) is \(to)'s")
    }

    private func object(_ request: Request, _ visit: Visit) async throws -> Response {
        var wish = try await Wish(request)
        let reason = try wish.reason()
        try wish.finish()
        let (id, caller) = (try visit.parameters.require("id"), try caller(visit))
        try await desk.object(to: id, by: caller, reason: reason)
        return done("\(caller.name) objects: \(id) is not fixed before another person has approved that")
    }

    private func withdraw(_ request: Request, _ visit: Visit) async throws -> Response {
        var wish = try await Wish(request)
        let reason = try wish.optional("reason") ?? ""
        try wish.finish()
        let (id, caller) = (try visit.parameters.require("id"), try caller(visit))
        try await desk.withdraw(objectionTo: id, by: caller, reason: reason)
        return done("\(caller.name) objects to the fix of \(id) no more")
    }

    /// A link by which the caller's browser signs in once.
    private func link(_ request: Request, _ visit: Visit) async throws -> Response {
        try (try await Wish(request)).finish()
        let caller = try caller(visit)
        let person = try desk.rules.person(caller, .read)
        let code = await doorkeeper.link(for: person)
        return done(
            "the link signs \(person.name) in, once, within two minutes",
            JSONObject([("url", .string("\(try await url())/sign-in/link/\(code)"))]))
    }
}

extension Caller {
    var json: JSON {
        [
            "name": .string(name), "person": person.map { .string($0.name) } ?? .null,
            "roles": .array(roles.map(JSON.string)), "via": .string(person?.via ?? "unix-socket"),
            "anonymity": .string(anonymity),
        ]
    }
}

extension Parameters {
    /// A part of the path, percent-decoded.
    func require(_ name: String) throws(Refusal) -> String {
        guard let text = self[Substring(name)].flatMap({ Address.decoded($0) }), !text.isEmpty else {
            throw .malformed("the path cannot be read")
        }
        return text
    }
}
