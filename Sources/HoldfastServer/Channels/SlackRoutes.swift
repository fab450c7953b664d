internal import HTTPTypes
package import HoldfastCore
package import HoldfastCrypto
internal import HoldfastEngine
internal import HoldfastJSON
internal import Hummingbird

/// How Slack reaches this server.
package struct SlackApp: Sendable {
    package var channel: SlackChannel
    package var signingSecret: Secret
    package init(channel: SlackChannel, signingSecret: Secret) {
        self.channel = channel
        self.signingSecret = signingSecret
    }
}

/// `POST /slack/actions`: the interactivity request URL of the Slack app. What is pressed there is a person's word like
/// any other: only of who is mapped to a person, and never on what is too grave for chat.
actor SlackRoutes {
    private let app: SlackApp
    private let desk: Desk
    private var signature: SlackSignature
    private var limiter = FailureLimiter()

    init(app: SlackApp, desk: Desk) {
        self.app = app
        self.desk = desk
        signature = SlackSignature(secret: app.signingSecret, began: desk.now())
    }

    nonisolated func add(to router: Router<Visit>) {
        router.post("slack/actions") { try await self.take($0, $1) }
    }

    private func take(_ request: Request, _ visit: Visit) async throws -> Response {
        let address = FailureLimiter.key(visit.peer.place)
        if let wait = limiter.wait(address, now: desk.now()) {
            throw Refusal(429, "slow-down", "too many requests from here were refused", retryAfter: wait)
        }
        let body = Array(try await request.body.collect(upTo: Visit.bodyLimit).readableBytesView)
        let why = signature.refusal(
            stamp: request.headers[.slackTimestamp], signature: request.headers[.slackSignature], body: body,
            now: desk.now())
        if let why {
            limiter.fail(address, now: desk.now())
            try await desk.keeper.refusedStranger(
                "unknown", via: "slack", asked: "a word from \(visit.peer.place)", because: why, now: desk.now())
            throw Refusal(401, "unauthenticated", "this request is refused: \(why)")
        }
        guard let press = Press(body) else {
            throw Refusal.malformed("this is no press of a button of ours")
        }
        if let answer = await decide(press) {
            // Slack shows nobody what is answered here.
            try? await app.channel.whisper(answer, to: press.user, in: press.conversation)
        }
        return Response(status: .ok)
    }

    /// - Returns: what only who pressed is told.
    private func decide(_ press: Press) async -> String? {
        guard let wish = press.wish else { return nil }
        do {
            let people = desk.rules.people
            guard let person = people.identities.first(where: { $0.slack.contains(press.user) })?.person else {
                throw Refusal.forbidden(
                    "nobody is mapped to the Slack user \(printable(press.user)); add the id to a person under "
                        + "identities: slack:")
            }
            if let (risk, environment) = try await desk.stake(of: press),
                desk.rules.mustBeDecidedOnPage(risk, in: environment)
            {
                throw Refusal.forbidden("high risk in production is decided on its page, after a fresh sign-in")
            }
            let caller = Caller(Person(name: person, roles: people.roles(of: person), via: "slack"))
            switch wish {
            case .word(let word): _ = try await desk.say(word, on: [press.value], by: caller, reason: press.reason)
            case .undo:
                guard press.reason.contains(where: { !$0.isWhitespace }) else {
                    throw Refusal.malformed("give a reason")
                }
                try await desk.undo(press.value, by: caller, reason: press.reason, accepting: "")
            }
            return nil
        } catch {
            let why = (error as? Refusal)?.message ?? "it could not be done: \(error)"
            try? await desk.keeper.refusedStranger(
                press.user, via: "slack", asked: "\(wish.text) \(press.value)", because: why, now: desk.now())
            return "Not done: \(why)"
        }
    }
}

/// Who pressed which button, by Slack's `block_actions` payload.
private struct Press {
    enum Ask {
        case word(Approval.Word)
        case undo

        var text: String { if case .word(let word) = self { word.rawValue } else { "undo" } }
    }
    var user: String
    var conversation: String
    /// `nil` for what needs no answer, such as a link.
    var wish: Ask?
    /// A plan's digest, or a run's id.
    var value: String
    var reason: String

    init?(_ body: [UInt8]) {
        guard let fields = Address.pairs(String(decoding: body, as: UTF8.self)),
            let payload = fields.first(where: { $0.name == "payload" })?.value,
            let json = try? JSON.parse(Array(payload.utf8), limits: JSONLimits(depth: 32, rejectsDuplicateKeys: true)),
            json["type"] == "block_actions", let user = json["user"]?["id"]?.string,
            let action = json["actions"]?.array?.first, let name = action["action_id"]?.string
        else { return nil }
        self.user = user
        conversation = json["channel"]?["id"]?.string ?? json["container"]?["channel_id"]?.string ?? ""
        wish =
            [SlackBlocks.approve: .word(.approve), SlackBlocks.refuse: .word(.refuse), SlackBlocks.undo: .undo][name]
        value = action["value"]?.string ?? ""
        let state = json["state"]?["values"]?["reason-\(value.prefix(32))"]?[SlackBlocks.reason]?["value"]?.string
        reason = String((state ?? "").prefix(Wish.longest))
    }
}

extension AccessRules {
    /// High risk in the last environment takes more than a press of a button in a chat.
    package func mustBeDecidedOnPage(_ risk: PlaybookRisk, in environment: String) -> Bool {
        risk == .high && (environment == lastEnvironment || lastEnvironment.isEmpty)
    }
}

extension Desk {
    /// The risk, and where, of the plan that people are asked about, or of the run that is to be undone.
    fileprivate func stake(of press: Press) async throws -> (PlaybookRisk, String)? {
        if case .undo? = press.wish {
            guard case .one(let json) = try await archive().answer(.run(press.value)), let run = Run(json: json) else {
                return nil
            }
            return (run.risk, run.environment)
        }
        let answer = try await archive().answer(.planOf(digest: press.value))
        guard case .one(let json) = answer, let prompt = json["ask"].flatMap({ Prompt(json: $0) }) else { return nil }
        return (prompt.risk, prompt.environment)
    }
}

extension HTTPField.Name {
    fileprivate static let slackTimestamp = HTTPField.Name("X-Slack-Request-Timestamp") ?? .date
    fileprivate static let slackSignature = HTTPField.Name("X-Slack-Signature") ?? .date
}
