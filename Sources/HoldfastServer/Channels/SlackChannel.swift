package import HoldfastCore
package import HoldfastCrypto
package import HoldfastEngine
internal import HoldfastJSON

/// A conversation of Slack, by the Web API (https://docs.slack.dev/reference/methods/chat.postMessage). Prompts have
/// buttons where Slack's requests reach this server, and are changed as things move on (`chat.update`).
package struct SlackChannel: ChatChannel {
    package let name: String
    private let url: String
    private let token: Secret
    private let conversation: String
    private let pages: Pages
    /// Slack's requests are taken: buttons mean something.
    private let isInteractive: Bool
    private let mustBeDecidedOnPage: @Sendable (PlaybookRisk, String) -> Bool
    private let posted: @Sendable (ChatPost) async -> Void
    private let now: @Sendable () -> Timestamp
    private let send: Outbound

    /// Links to this server's pages.
    package struct Pages: Sendable {
        /// How browsers reach it; `nil` where none does.
        package var base: String?
        /// A provider of identities can be asked to sign somebody in anew.
        package var canSignInAnew: Bool
        package init(base: String?, canSignInAnew: Bool) {
            self.base = base
            self.canSignInAnew = canSignInAnew
        }

        func plan(_ digest: String) -> String? { base.map { "\($0)/plans/\(digest)" } }
        func planAfterSignIn(_ digest: String) -> String? {
            canSignInAnew ? base.map { "\($0)/sign-in/oidc?fresh=1&to=/plans/\(digest)" } : plan(digest)
        }
        func finding(_ id: String) -> String? { base.map { "\($0)/findings/\(id)" } }
    }

    /// - Parameters:
    ///   - url: of the Web API.
    ///   - conversation: its id.
    ///   - mustBeDecidedOnPage: what is too grave for a button.
    ///   - posted: told of each prompt that stands in the conversation.
    package init(
        name: String, url: String, token: Secret, conversation: String, pages: Pages, isInteractive: Bool,
        mustBeDecidedOnPage: @escaping @Sendable (_ risk: PlaybookRisk, _ environment: String) -> Bool,
        posted: @escaping @Sendable (ChatPost) async -> Void, now: @escaping @Sendable () -> Timestamp,
        send: @escaping Outbound
    ) {
        self.name = name
        self.url = url
        self.token = token
        self.conversation = conversation
        self.pages = pages
        self.isInteractive = isInteractive
        self.mustBeDecidedOnPage = mustBeDecidedOnPage
        self.posted = posted
        self.now = now
        self.send = send
    }

    package func deliver(_ message: Message) async throws(DeliveryError) {
        var lines = message.lines
        lines += message.findings.compactMap(pages.finding)
        var blocks = [SlackBlocks.section(message.title)]
        if !lines.isEmpty { blocks.append(SlackBlocks.section(lines.joined(separator: "\n"))) }
        let content = JSONObject([("text", .string(message.title)), ("blocks", .array(blocks))])
        // A member's id in place of a conversation's: what the app tells this member alone.
        _ = try await call("chat.postMessage", content, in: message.to?.address)
    }

    package func deliver(_ prompt: Prompt) async throws(DeliveryError) {
        let standing = PlanStanding("Waits for approval.", isOpen: true)
        let answer = try await call("chat.postMessage", content(prompt, standing))
        guard let message = answer["ts"]?.string, let conversation = answer["channel"]?.string else {
            throw DeliveryError("chat.postMessage: the answer does not name the message")
        }
        await posted(
            ChatPost(
                digest: prompt.digest, channel: name, conversation: conversation, message: message, posted: now(),
                about: prompt.sentence, standing: standing.text))
    }

    package func update(_ post: ChatPost, _ prompt: Prompt?, to standing: PlanStanding) async throws(DeliveryError) {
        var content: JSONObject
        if let prompt {
            content = self.content(prompt, standing)
        } else {
            let about = SlackBlocks.section("\(post.about)\nPlan \(post.digest.prefix(12))")
            var blocks = [about, SlackBlocks.section(standing.text)]
            if let run = standing.verified, isInteractive, !mustBeDecidedOnPage(run.risk, run.environment) {
                blocks += SlackBlocks.undo(run.id)
            }
            content = JSONObject([("text", .string(post.about)), ("blocks", .array(blocks))])
        }
        content["ts"] = .string(post.message)
        _ = try await call("chat.update", content, in: post.conversation)
    }

    private func content(_ prompt: Prompt, _ standing: PlanStanding) -> JSONObject {
        var blocks = SlackBlocks.about(prompt)
        if standing.isOpen, isInteractive, !mustBeDecidedOnPage(prompt.risk, prompt.environment) {
            blocks += SlackBlocks.buttons(prompt.digest, page: pages.plan(prompt.digest))
        } else if standing.isOpen, let link = pages.planAfterSignIn(prompt.digest) {
            blocks.append(
                SlackBlocks.section("Decide it on its page, after you have signed in anew: \(link)", isPlain: false))
        }
        blocks.append(SlackBlocks.section(standing.text))
        return JSONObject([("text", .string(prompt.sentence)), ("blocks", .array(blocks))])
    }

    /// - Throws: what Slack says is wrong, or that it does not answer.
    private func call(
        _ method: String, _ content: JSONObject, in conversation: String? = nil
    ) async throws(DeliveryError) -> JSON {
        var body = content
        body["channel"] = .string(conversation ?? self.conversation)
        let answer = try await JSONPost.send(
            .object(body), to: "\(url)/\(method)", headers: [("Authorization", "Bearer \(token.revealed)")],
            taking: 200...200, by: send)
        let json = (try? JSON.parse(answer.body)) ?? .null
        guard json["ok"] == true else {
            throw DeliveryError("\(method): \(printable(json["error"]?.string ?? "an answer that is none"))")
        }
        return json
    }

    /// Tells one person in the conversation, and nobody else.
    func whisper(_ text: String, to user: String, in conversation: String) async throws(DeliveryError) {
        _ = try await call(
            "chat.postEphemeral", JSONObject([("user", .string(user)), ("text", .string(SlackBlocks.escaped(text)))]),
            in: conversation)
    }
}

/// Parts of a message by Block Kit (https://docs.slack.dev/reference/block-kit/blocks), within its limits.
enum SlackBlocks {
    static let approve = "holdfast-approve"
    static let refuse = "holdfast-refuse"
    static let undo = "holdfast-undo"
    static let reason = "holdfast-reason"
    /// Characters of a section's text.
    private static let sectionLimit = 3000

    /// What Slack would read as a link, a mention or a channel is shown as it is.
    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }

    /// - Parameter isPlain: no marks in it mean anything.
    static func section(_ text: String, isPlain: Bool = true) -> JSON {
        let text = String((isPlain ? text : escaped(text)).prefix(sectionLimit))
        return [
            "type": "section",
            "text": isPlain
                ? ["type": "plain_text", "text": .string(text), "emoji": false]
                : ["type": "mrkdwn", "text": .string(text), "verbatim": false],
        ]
    }

    static func about(_ prompt: Prompt) -> [JSON] {
        let changes = prompt.changes.prefix(5).map { "\($0.path): \($0.before) → \($0.after)" }
        let rest = [
            "\(prompt.severity.rawValue), \(prompt.environment), \(prompt.risk.rawValue) risk; \(prompt.needed) of "
                + "\(prompt.roles.joined(separator: ", ")) must agree.",
            "What may break: \(prompt.mayBreak.joined(separator: " "))",
            "Calls: \(prompt.calls.joined(separator: ", "))",
        ]
        let last = ["Undo: \(prompt.undo). Evidence: \(prompt.evidence).", "Plan \(prompt.digest.prefix(12))"]
        return [section(prompt.sentence), section((rest + changes + last).joined(separator: "\n"))]
    }

    static func buttons(_ digest: String, page: String?) -> [JSON] {
        var elements = [button("Approve", approve, digest, "primary"), button("Refuse", refuse, digest, "danger")]
        if let page {
            elements.append([
                "type": "button", "text": ["type": "plain_text", "text": "Open"], "url": .string(page),
                "action_id": "holdfast-open",
            ])
        }
        return [input("Reason (needed to refuse)", for: digest), ["type": "actions", "elements": .array(elements)]]
    }

    static func undo(_ run: String) -> [JSON] {
        let elements = [button("Undo", undo, run, "danger")]
        return [input("Reason (needed to undo)", for: run), ["type": "actions", "elements": .array(elements)]]
    }

    private static func input(_ label: String, for value: String) -> JSON {
        [
            "type": "input", "optional": true, "block_id": .string("reason-\(value.prefix(32))"),
            "label": ["type": "plain_text", "text": .string(label)],
            "element": ["type": "plain_text_input", "action_id": .string(reason), "max_length": 2000],
        ]
    }

    private static func button(_ text: String, _ action: String, _ value: String, _ style: String) -> JSON {
        [
            "type": "button", "text": ["type": "plain_text", "text": .string(text)], "action_id": .string(action),
            "value": .string(value), "style": .string(style),
        ]
    }
}
