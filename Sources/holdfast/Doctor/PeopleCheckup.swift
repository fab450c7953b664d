import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastHTTP
import HoldfastStore

/// How people are asked and how they answer: prompt channels, the server, the provider of identities.
struct PeopleCheckup {
    private let configuration: Configuration
    private let http: HTTPClient
    private let sends: Bool

    init(_ configuration: Configuration, _ http: HTTPClient, sends: Bool) {
        self.configuration = configuration
        self.http = http
        self.sends = sends
    }

    func diagnoses() async -> [Diagnosis] {
        var found: [Diagnosis] = []
        for (index, webhook) in configuration.webhooks.enumerated() {
            found.append(await prompt("webhook \(index + 1)", webhook))
        }
        guard let server = configuration.server else {
            return found + [
                .note("server", "", "there is none: nobody can approve, and there are no metrics", do: "add server: {}")
            ]
        }
        return found + listening(server) + [await provider(server)].compactMap { $0 }
    }

    private func prompt(_ name: String, _ webhook: WebhookSettings) async -> Diagnosis {
        do {
            let notifier = try Prompting.notifier(name, webhook, configuration, http)
            guard sends else {
                return .note("prompt", name, "its key is there; nothing was sent", do: "--send sends a test message")
            }
            try await notifier.deliverTest()
            return .ok("prompt", name, "it took a test message")
        } catch let error as DeliveryError {
            return .fails("prompt", name, error.message, do: "see runbooks/prompt-failed.md")
        } catch {
            return .fails("prompt", name, "\(error)", do: "set the secret that the configuration names")
        }
    }

    private func listening(_ server: ServerSettings) -> [Diagnosis] {
        let isUp = SQLiteJournal.isOwned(path: configuration.sqlitePath)
        var found: [Diagnosis] = []
        if let listen = server.listen {
            found.append(
                .ok("server", "\(listen)", isUp ? "the service is up" : "it listens there once the service runs"))
        }
        guard let path = server.socket.map(configuration.resolve) else { return found }
        let folder = URL(filePath: path).deletingLastPathComponent().path
        guard access(folder, W_OK | X_OK) == 0 else {
            return found + [
                .fails(
                    "server", path, "\(folder): \(String(cString: strerror(errno)))",
                    do: "let the user that runs the service write there, or change socket:")
            ]
        }
        return found + [.ok("server", path, "the socket can be made there")]
    }

    private func provider(_ server: ServerSettings) async -> Diagnosis? {
        guard let provider = server.provider else { return nil }
        let url = "\(provider.issuer)/.well-known/openid-configuration"
        let remedy = "correct issuer:, and let this machine reach it"
        do {
            if let secret = provider.clientSecret { _ = try NamedSecret.read(secret, configuration) }
            let answer = try await Serving.outbound(http)(OutboundRequest(url: url))
            guard answer.status == 200 else {
                return .fails("identities", provider.issuer, "\(url) answers \(answer.status)", do: remedy)
            }
            return .ok("identities", provider.issuer, "the provider answers")
        } catch let error as OutboundFailure {
            return .fails("identities", provider.issuer, error.message, do: remedy)
        } catch {
            return .fails("identities", provider.issuer, "\(error)", do: "set the secret that the configuration names")
        }
    }
}
