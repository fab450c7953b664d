package import HoldfastCore

/// A way by which messages and prompts reach people. Deadlines are inside.
package protocol MessageChannel: Notifier {
    /// - Throws: where it could not be delivered; it is tried again, so that one may come twice, with the same id.
    func deliver(_ message: Message) async throws(DeliveryError)
}

/// Routes what happens and delivers it: each channel in order, all of them beside each other.
package struct MessageLane<C: HoldfastClock>: Sendable {
    private let keeper: Keeper
    private let channels: [any MessageChannel]
    private let clock: C
    /// How often it looks.
    private let idle: Span

    package init(keeper: Keeper, channels: [any MessageChannel], clock: C, idle: Span = Span(seconds: 1)) {
        self.keeper = keeper
        self.channels = channels
        self.clock = clock
        self.idle = idle
    }

    /// Until the task is cancelled; what was not delivered by then is in the journal.
    ///
    /// - Throws: ``JournalError`` where the journal fails.
    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while !Task.isCancelled {
                    try await keeper.tell(now: clock.wallTime())
                    if try await !keeper.route(now: clock.wallTime()) { await rest() }
                }
            }
            for channel in channels {
                group.addTask {
                    while !Task.isCancelled {
                        try await deliver(by: channel)
                        await rest()
                    }
                }
                guard let chat = channel as? any ChatChannel else { continue }
                group.addTask {
                    while !Task.isCancelled {
                        try await update(chat)
                        await rest()
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func rest() async { try? await clock.sleep(for: .nanoseconds(idle.nanoseconds)) }

    private func deliver(by channel: any MessageChannel) async throws {
        while let sent = try await keeper.nextMessage(by: channel.name, now: clock.wallTime()), !Task.isCancelled {
            do throws(DeliveryError) {
                try await channel.deliver(sent.message)
            } catch {
                return try await keeper.untold(sent, error.message, now: clock.wallTime())
            }
            try await keeper.told(sent.message, now: clock.wallTime())
        }
    }

    /// Has prompts that stand in a chat say what is so now. What the chat does not take is tried again.
    private func update(_ chat: any ChatChannel) async throws {
        for (post, prompt, standing) in try await keeper.stalePosts(by: chat.name, now: clock.wallTime()) {
            do throws(DeliveryError) {
                try await chat.update(post, prompt, to: standing)
            } catch {
                for _ in 0..<30 where !Task.isCancelled { await rest() }
                return
            }
            var said = post
            said.standing = standing.text
            try await keeper.posted(said)
        }
    }
}
