import ArgumentParser
import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastJSON

/// Whom a command asks: the configuration's journal, or a server.
struct AskOptions: ParsableArguments {
    @OptionGroup var store: StoreOptions
    @Option(help: "Ask this server in place of the journal: https://HOST, http://127.0.0.1:PORT or unix:PATH.")
    var server: String?

    /// The whole answer; of a list all its pages.
    func answer(_ query: Query) async throws -> Answer {
        guard let server else {
            let archive = try store.archive()
            return try await whole { page in try archive.answer(query, page) }
        }
        let client = try await ServerClient(server)
        let (path, parameters) = query.address
        return try await whole { page in
            let part = query.isPaged ? page.parameters : []
            return Answer(json: try await client.get(path, parameters + part))
        }
    }

    func list(_ query: Query) async throws -> [JSON] {
        guard case .list(let items, _) = try await answer(query) else { return [] }
        return items
    }

    func one(_ query: Query) async throws -> JSON {
        guard case .one(let json) = try await answer(query) else { return .null }
        return json
    }

    private func whole(_ ask: (Page) async throws -> Answer) async throws -> Answer {
        var all: [JSON] = []
        var page = Page(limit: Page.most)
        while true {
            let answer = try await ask(page)
            guard case .list(let items, let next) = answer else { return answer }
            all += items
            guard let next else { return .list(all, next: nil) }
            page.after = next
        }
    }
}

extension StoreOptions {
    /// The configuration's journal, to be read.
    func archive() throws -> Archive {
        Archive(journal: try openToRead(), policy: try DataSet.load(try ConfigurationFile.read(config)).policy()) {
            SystemWallClock.now
        }
    }
}

/// The server that a command decides through: nothing is decided beside it.
struct DeskOptions: ParsableArguments {
    @Option(name: .customLong("config"), help: "The configuration file. Default: ./holdfast.yaml where there is one.")
    var config: String?
    @Option(
        help: """
            The server: https://HOST, http://127.0.0.1:PORT or unix:PATH. Default: HOLDFAST_SERVER, then the \
            configuration's socket.
            """)
    var server: String?

    /// Whether anything names a server.
    var hasServer: Bool {
        get throws { try named != nil || ConfigurationFile.read(config).server?.socket != nil }
    }

    private var named: String? { server ?? ProcessInfo.processInfo.environment["HOLDFAST_SERVER"] }

    func client() async throws -> ServerClient {
        if let place = named {
            return try await ServerClient(place)
        }
        let configuration = try ConfigurationFile.read(config)
        guard let socket = configuration.server?.socket else {
            throw Failure(
                "this is decided through the server and by no other way: give --server, or a configuration with "
                    + "`server:`")
        }
        return try await ServerClient("unix:\(configuration.resolve(socket))")
    }
}
